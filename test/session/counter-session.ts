// A counting service and a session to it in memory, whose newest link a test can cut. Support of the tests.
import type { BusObject } from '@qiway/protocol/bus/bus';
import { createObject, type HostedObject, method, signal } from '@qiway/protocol/objects/hosted-object';
import { decodePayload, plainObjects } from '@qiway/protocol/objects/values';
import type { ClientSession } from '@qiway/protocol/session/client-session';
import type { Transport } from '@qiway/protocol/session/transport';
import { expect } from 'vitest';
import { type MemoryDoor, memoryDoor } from '../support/memory-session.ts';
import { settled } from '../support/virtual-clock.ts';

export interface Cuts {
  /** Ends the newest link at both ends; what is under way is lost. */
  cut(): void;
  /** The page of the client is left. */
  leave(): void;
  /** From now on nothing comes through the newest link, in neither direction, and nobody is told. */
  swallow(): void;
}

export function cuttable(door: MemoryDoor): Cuts {
  let newest: { transport: Transport; isSwallowed: boolean } | undefined;
  door.onDial = (transport) => {
    const way = { transport, isSwallowed: false };
    newest = way;
    return {
      route: 'direct',
      bufferedBytes: 0,
      send: (message, rest) => way.isSwallowed || transport.send(message, rest),
      close: (code, reason) => transport.close(code, reason),
      listen: (listener) =>
        transport.listen({ ...listener, message: (bytes) => way.isSwallowed || listener.message(bytes) }),
    };
  };
  return {
    cut: () => {
      if (newest === undefined) return;
      newest.isSwallowed = true;
      newest.transport.close(1000, 'cut');
    },
    leave: () => {
      if (newest === undefined) return;
      newest.isSwallowed = true;
      newest.transport.close(1001 as 1000, 'left');
    },
    swallow: () => {
      if (newest !== undefined) newest.isSwallowed = true;
    },
  };
}

function counter() {
  let count = 0;
  const answers: ((value: number) => void)[] = [];
  const object = createObject({
    add: method('(i)', 'i', (by: number) => {
      count += by;
      return count;
    }),
    slow: method('()', 'i', () => new Promise<number>((resolve) => answers.push(resolve))),
    moved: method('()', 'v', () => {
      count += 100;
    }),
    counted: signal('(i)'),
  });
  return { object, answers, count: () => count };
}

export interface CounterSession extends Cuts {
  readonly door: MemoryDoor;
  readonly object: HostedObject;
  /** Of calls of `slow` that wait, in order. */
  readonly answers: ((value: number) => void)[];
  count(): number;
  readonly session: ClientSession;
  readonly service: BusObject;
  /** Each that the session had, in order. */
  readonly states: readonly string[];
  /** Until the session is online again. */
  online(): Promise<void>;
}

export async function start(changes: Parameters<typeof memoryDoor>[0] = {}): Promise<CounterSession> {
  const door = memoryDoor(changes);
  const cuts = cuttable(door);
  const { object, answers, count } = counter();
  await door.bus.host('Counter', object);
  const session = await door.open();
  const service = await session.service('Counter');
  const states: string[] = [];
  session.listenSession({ changed: () => states.push(session.sessionState) });
  const online = async (): Promise<void> => {
    await settled();
    for (let round = 0; session.sessionState !== 'online' && round < 100; round += 1) await door.clock.advance(100);
    expect(session.sessionState).toBe('online');
  };
  return { door, ...cuts, object, answers, count, session, service, states, online };
}

/** Events, gaps and ends of `counted`. */
export function listenTo(service: CounterSession['service']): {
  readonly heard: unknown[];
  readonly ready: Promise<unknown>;
} {
  const heard: unknown[] = [];
  const uid = [...service.metaObject.signals.values()].find(({ name }) => name === 'counted')?.uid ?? 0;
  const subscription = service.subscribe(uid, {
    event: (event) => heard.push(...(decodePayload(event, plainObjects) as unknown[])),
    gap: (missed) => heard.push({ missed }),
    gone: (error) => heard.push(error.code),
  });
  return { heard, ready: subscription.ready };
}
