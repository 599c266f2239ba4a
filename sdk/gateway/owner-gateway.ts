// The owner's HTTP door: made of a session when the first request comes. A chunk of its own: most apps never ask for it.
import type { Clock } from '@qiway/protocol/clock';
import { QiwayError } from '@qiway/protocol/errors';
import { createDoor, type Door } from '@qiway/protocol/http-door/door';
import type { DoorBus } from '@qiway/protocol/http-door/door-types';
import { problemResponse } from '@qiway/protocol/http-door/responses';
import type { ClassTable } from '@qiway/protocol/member-class';
import { VERSION } from '../version.ts';
import { answerRequest } from './answer-request.ts';
import type { RequestPort } from './body-port.ts';
import { RequestsUnderWay } from './requests-under-way.ts';

export interface OwnerGateway {
  /** Answers the request that comes over the port. */
  take(port: RequestPort): void;
  /** Ends streams under way; their readers are told. */
  close(): void;
}

/** The part of a session that the door needs. */
export interface GatewaySession extends DoorBus {
  readonly classes: ClassTable;
}

export interface OwnerGatewayOptions {
  readonly clock: Clock;
  /** As the door asks for it. */
  readonly rememberedForMs: () => number | undefined;
}

/** At one time; a page that forgets to close its streams must not fill the owner. */
const MAX_REQUESTS = 512;

const busy: Door = {
  handle: async () =>
    problemResponse(
      new QiwayError('limit-exceeded', `${MAX_REQUESTS} requests are under way: end some of them first.`, {
        data: { limit: 'requests', maximum: MAX_REQUESTS },
      }),
      { status: 503 },
    ),
  close: () => {},
};

/** @param session not closed by the gateway */
export function openOwnerGateway(
  session: GatewaySession,
  { clock, rememberedForMs }: OwnerGatewayOptions,
): OwnerGateway {
  let requests = 0;
  const underWay = new RequestsUnderWay(clock);
  const door = createDoor(session, {
    clock,
    version: VERSION,
    newEpoch: () => [...crypto.getRandomValues(new Uint8Array(6))].map((byte) => byte.toString(16)).join(''),
    classOf: (service, member) => session.classes.classOf(service, member),
    rememberedForMs,
  });
  return {
    take: (port) => {
      requests++;
      const options = { door: requests > MAX_REQUESTS ? busy : door, clock, underWay };
      void answerRequest(port, options).then(() => requests--);
    },
    close: () => door.close(),
  };
}
