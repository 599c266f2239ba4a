// What the members of one remote object share, and the order in which they send. Layer 3.
// A call that needs the part (it carries objects, or chooses an overload) waits until that is loaded; what is sent to the
// same object meanwhile waits behind it, so that nothing overtakes. Other objects do not wait.

import type { bestOverload } from '../bus/best-overload.ts';
import { type BusObject, type Payload, releasePayload } from '../bus/bus.ts';
import type { MemberClass } from '../member-class.ts';
import { isPartMissing, type Part, partMissing } from '../part.ts';
import type { Turns } from '../turns.ts';
import type { fitArguments } from './arguments.ts';
import type { callWhenUp } from './call-when-up.ts';
import type { hostingMap } from './hosting-map.ts';
import type { callQueued } from './queued-call.ts';
import type { CallTimes } from './remote-call.ts';
import type { AbortSignalLike, OfflinePolicy } from './remote-types.ts';
import { encodePayload, type ObjectMapper } from './values.ts';

/** What only some calls and events need. */
export interface RemotePart {
  readonly hostingMap: typeof hostingMap;
  readonly bestOverload: typeof bestOverload;
  readonly fitArguments: typeof fitArguments;
  readonly callWhenUp: typeof callWhenUp;
}

/** What only calls need that may wait offline. */
export interface QueueingPart {
  readonly callQueued: typeof callQueued;
}

/** What is around a remote object. */
export interface RemoteObjectOptions {
  /** How objects in arguments and results look. */
  readonly mapper: ObjectMapper;
  readonly times: CallTimes;
  /** Takes what callbacks throw. */
  readonly report: (error: unknown) => void;
  readonly part: Part<RemotePart>;
  /** Its name, if it is the object of a service. */
  readonly service?: string | undefined;
  readonly onBusUp?: OnBusUp | undefined;
  readonly classOf?: ClassOf | undefined;
  readonly enqueue?: Enqueue | undefined;
  readonly queueing?: Part<QueueingPart> | undefined;
  /** Gives objects back that nobody refers to any more. */
  readonly registry?: FinalizationRegistry<BusObject>;
}

/** What the members of one remote object need of it. */
export interface Remote extends RemoteObjectOptions {
  /** @throws `object-gone` once it was released */
  check(): BusObject;
  /** The JavaScript object itself: subscriptions hold it, so that the object lives as long as it is listened to. */
  readonly owner: object;
  readonly turns: Turns;
}

/** Calls `run` when the robot's bus is back; returns how to stop. */
export type OnBusUp = (run: () => void) => () => void;

/** What a call does to the world; undefined: nobody said. */
export type ClassOf = (service: string, member: string) => MemberClass | undefined;

/** A call on a service that may wait until the robot can be reached. */
export interface QueuedCall {
  readonly service: string;
  /** Full name, `say::(s)`. */
  readonly method: string;
  /** Holds no objects. */
  readonly payload: Payload;
  /** For people, who look at what waits. */
  readonly args: readonly unknown[];
  /** In place of the arguments: what is shown of them. */
  readonly shownArgs?: string;
  readonly memberClass: MemberClass | undefined;
  readonly policy: OfflinePolicy;
  /** Of each attempt; 0: for ever. */
  readonly timeoutMs: number;
  readonly signal: AbortSignalLike | undefined;
}

/**
 * Makes the call, at once or later; resolves with the answer, which the caller then owns.
 * @throws what the call came to; `expired`, `superseded`, `canceled`, `limit-exceeded`, `interrupted`, `result-not-kept`
 */
export type Enqueue = (call: QueuedCall) => Promise<Payload>;

/** Calls at once, or when what it needs is here and those before it are through. `send` reads its arguments when it runs. */
export function callInTurn<T>({ turns, part }: Remote, send: () => Promise<T>): Promise<T> {
  if (turns.areFree) {
    try {
      return send();
    } catch (error) {
      if (part.here !== undefined || !isPartMissing(error)) return Promise.reject(error);
    }
  }
  return new Promise((resolve, reject) => {
    turns.run(() => {
      try {
        resolve(send());
      } catch (error) {
        reject(error);
      }
    }, part);
  });
}

/** As callInTurn, for what has no answer: an error that comes later is reported. @throws what `send` throws at once */
export function postInTurn({ turns, part, report }: Remote, send: () => void): void {
  if (turns.areFree) {
    try {
      return send();
    } catch (error) {
      if (part.here !== undefined || !isPartMissing(error)) throw error;
    }
  }
  turns.run(() => {
    try {
      send();
    } catch (error) {
      report(error);
    }
  }, part);
}

/** What is to be sent; objects in it need the part, which serves them. @throws `invalid-argument`, `unsupported` without the part */
export function encodeOutgoing({ mapper, part }: Remote, signature: string, value: unknown): Payload {
  const payload = encodePayload(signature, value, mapper);
  if (payload.objects.length === 0 || part.here !== undefined) return payload;
  releasePayload(payload);
  throw partMissing();
}
