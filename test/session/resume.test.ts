// A session goes on over other links; and a new one takes its place where it cannot.
import { NO_OBJECTS } from '@qiway/protocol/bus/bus';
import { StandardAction } from '@qiway/protocol/bus/metaobject';
import { QiwayError } from '@qiway/protocol/errors';
import { createObject, method, signal } from '@qiway/protocol/objects/hosted-object';
import { decodePayload, plainObjects } from '@qiway/protocol/objects/values';
import { SessionHost } from '@qiway/protocol/session/session-host';
import type { Transport } from '@qiway/protocol/session/transport';
import { describe, expect, it } from 'vitest';
import { callMethod, failureOf } from '../contract/calls.ts';
import { type MemoryDoor, memoryDoor } from '../support/memory-session.ts';
import { settled } from '../support/virtual-clock.ts';

interface Cuts {
  /** Ends the newest link at both ends; what is under way is lost. */
  cut(): void;
  /** The page of the client is left. */
  leave(): void;
  /** From now on nothing comes through the newest link, in neither direction, and nobody is told. */
  swallow(): void;
}

function cuttable(door: MemoryDoor): Cuts {
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

async function start(changes: Parameters<typeof memoryDoor>[0] = {}) {
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

function listenTo(service: Awaited<ReturnType<typeof start>>['service']) {
  const heard: unknown[] = [];
  const uid = [...service.metaObject.signals.values()].find(({ name }) => name === 'counted')?.uid ?? 0;
  const subscription = service.subscribe(uid, {
    event: (event) => heard.push(...(decodePayload(event, plainObjects) as unknown[])),
    gap: (missed) => heard.push({ missed }),
    gone: (error) => heard.push(error.code),
  });
  return { heard, ready: subscription.ready };
}

describe('a session whose link is cut', () => {
  it('goes on over the next one: the call under way is answered, once', async () => {
    const { session, service, answers, cut, door, online } = await start();
    const call = callMethod(service, 'slow');
    await settled();
    expect(answers).toHaveLength(1);
    cut();
    await settled();
    answers[0]?.(7);
    await online();
    expect(await call).toBe(7);
    expect(session.hasResumed).toBe(true);
    expect(door.serverSessions).toHaveLength(1);
    expect(answers).toHaveLength(1);
  });

  it('gets every event of the time between, in order and once', async () => {
    const { object, service, cut, online, session, door } = await start();
    const { heard, ready } = listenTo(service);
    await ready;
    for (let count = 0; count < 50; count += 1) {
      object.emit('counted', count);
      if (count % 10 === 5) cut();
      if (count % 10 === 9) await online();
    }
    await online();
    await settled();
    expect(heard).toEqual(Array.from({ length: 50 }, (_, index) => index));
    expect(session.counts.queuedBytes).toBe(0);
    await door.clock.advance(3000);
    expect(door.serverSessions[0]?.counts.queuedBytes).toBe(0);
  });

  it('sends a call again that was lost on its way, and does not run one twice whose answer was', async () => {
    const { service, cut, swallow, count, online, door } = await start();
    const lost = callMethod(service, 'add', 1);
    swallow();
    await settled();
    cut();
    await online();
    expect(await lost).toBe(1);
    const answered = callMethod(service, 'add', 1);
    await settled();
    cut();
    await online();
    expect(await answered).toBe(2);
    expect(count()).toBe(2);
    expect(door.dials.count).toBe(3);
  });

  it('notices within three heartbeats that nothing comes any more, on both sides', async () => {
    const { swallow, session, door, states } = await start();
    swallow();
    await door.clock.advance(2_500);
    expect(session.sessionState).toBe('online');
    await door.clock.advance(1_500);
    expect(states).toContain('offline');
    expect(session.sessionState).toBe('online');
    expect(session.hasResumed).toBe(true);
  });

  it('refuses a new call while there is no link, and sends nothing later', async () => {
    const { service, cut, count, online } = await start();
    cut();
    await Promise.resolve();
    const failure = await failureOf(callMethod(service, 'add', 5));
    expect(failure).toMatchObject({ code: 'offline', maybeExecuted: false });
    await online();
    expect(count()).toBe(0);
  });

  it('takes back a call that moves the robot and was not confirmed', async () => {
    const { service, swallow, cut, count, online } = await start({
      told: () => ({ bus: 'up', classes: [['Counter.moved', 'motion']] }),
    });
    swallow();
    const moved = failureOf(callMethod(service, 'moved'));
    await settled();
    cut();
    expect(await moved).toMatchObject({ code: 'link-lost', maybeExecuted: true });
    await online();
    await settled();
    expect(count()).toBe(0);
  });

  it('does not move the robot late when it goes over to another link while the old one is stalled', async () => {
    const { service, session, swallow, door, count } = await start({
      told: () => ({ bus: 'up', classes: [['Counter.moved', 'motion']] }),
    });
    const { clock } = door;
    const old = { swallow };
    const { onDial } = door;
    door.onDial = (transport) => {
      old.swallow();
      const slow = onDial(transport);
      return {
        ...slow,
        listen: (listener) =>
          slow.listen({ ...listener, message: (bytes) => void clock.after(900, () => listener.message(bytes)) }),
      };
    };
    session.moveTo();
    await settled();
    const early = failureOf(callMethod(service, 'moved')); // 900 ms before the link that it would go over
    const asked = callMethod(service, 'add', 1);
    await clock.advance(600);
    const late = callMethod(service, 'moved');
    await clock.advance(1_500);
    expect(await early).toMatchObject({ code: 'link-lost', maybeExecuted: true });
    expect(await asked).toBe(1);
    await late;
    expect(count()).toBe(101);
    expect(door.dials.count).toBe(2);
  });

  it('says of a call that is cancelled without a link whether it may have run', async () => {
    const { service, session, swallow, cut, online } = await start();
    const call = (action: number): { readonly failed: Promise<QiwayError>; cancel(): void } => {
      const { promise: failed, resolve } = Promise.withResolvers<QiwayError>();
      const payload = { signature: '()', bytes: new Uint8Array(0), objects: NO_OBJECTS };
      const ended = (): void => resolve(new QiwayError('internal', 'It did not fail.'));
      const handle = service.call({ action, payload }, { reply: ended, error: resolve, canceled: ended });
      return { failed, cancel: () => handle.cancel() };
    };
    const uid = [...service.metaObject.methods.values()].find(({ name }) => name === 'slow')?.uid ?? 0;
    swallow();
    const sent = call(uid);
    await settled();
    cut();
    for (let round = 0; session.sessionState === 'online' && round < 50; round += 1) await Promise.resolve();
    expect(session.sessionState).toBe('offline');
    const waits = call(StandardAction.metaObject); // asks only: waits for the next link
    sent.cancel();
    waits.cancel();
    expect(await sent.failed).toMatchObject({ code: 'canceled', maybeExecuted: true });
    expect(await waits.failed).toMatchObject({ code: 'canceled', maybeExecuted: false });
    await online();
  });

  it('says of what waited for a link that never came that it was not sent', async () => {
    const { session, cut } = await start();
    cut();
    for (let round = 0; session.sessionState === 'online' && round < 50; round += 1) await Promise.resolve();
    const asked = failureOf(session.services());
    await session.close();
    expect(await asked).toMatchObject({ code: 'closed', maybeExecuted: false });
  });

  it('stays where it is when a better way leads to somebody who refuses it', async () => {
    const door = memoryDoor();
    const session = await door.open({
      dial: (request) =>
        request.reason === 'better'
          ? Promise.reject(new QiwayError('unauthorized', 'No.'))
          : door.dialAs('client')(request),
    });
    session.moveTo();
    await settled();
    expect(session.sessionState).toBe('online');
    expect((await session.services()).length).toBe(1);
  });

  it('leaves a link that is made when it is closed already', async () => {
    const door = memoryDoor();
    const cuts = cuttable(door);
    const dials: (() => void)[] = [];
    const closed: number[] = [];
    const session = await door.open({
      dial: async (request) => {
        if (request.reason === 'first') return door.dialAs('client')(request);
        await new Promise<void>((resolve) => dials.push(resolve));
        const dialed = await door.dialAs('client')(request);
        const { transport } = dialed;
        const close: Transport['close'] = (code, reason) => {
          closed.push(code);
          transport.close(code, reason);
        };
        const watched: Transport = {
          route: 'direct',
          bufferedBytes: 0,
          send: (message, rest) => transport.send(message, rest),
          close,
          listen: (listener) => transport.listen(listener),
        };
        return { ...dialed, transport: watched };
      },
    });
    cuts.cut();
    await door.clock.advance(100);
    await session.close();
    dials[0]?.();
    await settled();
    await settled();
    expect([dials.length, closed]).toEqual([1, [1000]]);
  });

  it('goes over to a better link without a pause', async () => {
    const { session, service, object, states, door } = await start();
    const { heard, ready } = listenTo(service);
    await ready;
    session.moveTo();
    for (let count = 0; count < 20; count += 1) {
      object.emit('counted', count);
      expect(await callMethod(service, 'add', 1)).toBe(count + 1);
    }
    await settled();
    expect(heard).toEqual(Array.from({ length: 20 }, (_, index) => index));
    expect(door.dials.count).toBe(2);
    expect(states).not.toContain('offline');
  });
});

describe('a session that the agent no longer has', () => {
  /** The agent was started again. */
  function restart(door: MemoryDoor): void {
    const old = door.host;
    door.host = new SessionHost({ ...door.hostOptions, epoch: 'next' });
    for (const session of old.sessions) session.close(undefined);
  }

  it('is replaced: calls fail honestly, subscriptions and hosted services are made anew', async () => {
    const { door, session, service, object, cut, online, answers } = await start();
    const { heard, ready } = listenTo(service);
    await ready;
    const mine = await session.host('Mine', createObject({ ask: method('()', 's', () => 'page') }));
    let renewed = 0;
    session.listenSession({ renewed: () => renewed++ });
    const call = failureOf(callMethod(service, 'slow'));
    await settled();
    cut();
    restart(door);
    await online();
    expect(await call).toMatchObject({ code: 'link-lost', maybeExecuted: true });
    expect(answers).toHaveLength(1);
    expect(renewed).toBe(1);
    expect(session.hasResumed).toBe(false);
    expect(session.loss).toMatchObject({ calls: 1 });
    object.emit('counted', 1);
    await settled();
    expect(heard).toEqual([{ missed: undefined }, 1]);
    expect(await callMethod(service, 'add', 2)).toBe(2);
    expect(await callMethod(await door.bus.service('Mine'), 'ask')).toBe('page');
    await mine.close();
    await expect(door.bus.service('Mine')).rejects.toMatchObject({ code: 'service-not-found' });
  });

  it('is replaced when the client stayed away for too long', async () => {
    const { door, session, cut, online, service } = await start({ keepMs: 1_000 });
    const { onDial } = door;
    door.onDial = () => {
      throw new Error('no way');
    };
    cut();
    await door.clock.advance(1_500);
    expect(door.serverSessions[0]?.state).toBe('closed');
    expect(session.sessionState).toBe('offline');
    door.onDial = onDial;
    await online();
    expect(await callMethod(service, 'add', 2)).toBe(2);
    expect(door.serverSessions).toHaveLength(2);
  });

  it('is replaced when the agent said goodbye because it was closing', async () => {
    const { door, session, online, service, states } = await start();
    const old = door.host;
    door.host = new SessionHost({ ...door.hostOptions, epoch: 'next' });
    old.close(new QiwayError('closed', 'The agent is closing.'));
    await settled();
    await online();
    expect(states).toContain('offline');
    expect(session.loss).toMatchObject({ calls: 0 });
    expect(await callMethod(service, 'add', 2)).toBe(2);
  });

  it('is over at once with that goodbye: who waits is told, and the agent takes nobody in any more', async () => {
    const { door, session, online, service, answers } = await start();
    const call = failureOf(callMethod(service, 'slow'));
    await settled();
    expect(answers).toHaveLength(1);
    door.host.close(new QiwayError('closed', 'The agent is closing.'));
    await door.clock.advance(3_000);
    expect(await call).toMatchObject({ code: 'link-lost', maybeExecuted: true });
    expect(session.sessionState).toBe('offline');
    expect([session.reason?.code, session.loss?.calls]).toEqual(['closed', 1]);
    door.host = new SessionHost({ ...door.hostOptions, epoch: 'next' });
    await online();
    expect(await callMethod(service, 'add', 2)).toBe(2);
    // Of one change, what was lost when it began and since.
    expect(session.loss?.calls).toBe(1);
  });

  it('is replaced when what came over the link made no sense', async () => {
    const { door, session, online, service } = await start();
    door.serverSessions[0]?.tell({ bus: 'sideways' as 'up' });
    await settled();
    await online();
    expect(session.loss?.reason.code).toBe('link-lost');
    expect(await callMethod(service, 'add', 2)).toBe(2);
    expect(door.serverSessions.map(({ state }) => state)).toEqual(['closed', 'attached']);
  });

  it('ends at once when its page was left, and not in order', async () => {
    const { door, leave } = await start();
    const ends: unknown[] = [];
    door.serverSessions[0]?.listen({ closed: (error) => ends.push(error?.code) });
    leave();
    await settled();
    expect(door.serverSessions[0]?.state).toBe('closed');
    expect(ends).toEqual(['link-lost']);
  });

  it('makes room for another client when the agent is full', async () => {
    const full = { isFull: () => false };
    const { door, cut } = await start({ isFull: () => full.isFull() });
    const { onDial } = door;
    door.onDial = () => {
      throw new Error('no way');
    };
    cut();
    await settled();
    expect(door.host.canMakeRoom).toBe(true);
    full.isFull = () => door.host.sessions.length >= 1;
    door.onDial = onDial;
    await door.open({ dial: door.dialAs('other') });
    expect(door.serverSessions.map(({ state }) => state)).toEqual(['closed', 'attached']);
  });

  it('waits for services that come back after the agent, and ends those that stay away', async () => {
    const { door, cut, online, service, object, session } = await start();
    object.retain();
    await door.bus.host('Other', createObject({ ask: method('()', 's', () => 'other') }));
    const other = await session.service('Other');
    const { heard, ready } = listenTo(service);
    await ready;
    cut();
    for (const { serviceId, name } of await door.bus.services())
      if (name === 'Counter' || name === 'Other') door.bus.registry.unregister(serviceId);
    restart(door);
    await online();
    expect(await failureOf(callMethod(service, 'add', 1))).toMatchObject({ code: 'bus-down', maybeExecuted: false });
    await door.clock.advance(30_000);
    await door.bus.host('Counter', object);
    await settled();
    expect(await callMethod(service, 'add', 1)).toBe(1);
    object.emit('counted', 5);
    await settled();
    expect(heard).toEqual([{ missed: undefined }, 5]);
    await door.clock.advance(100_000);
    expect(other.goneWith?.code).toBe('service-gone');
  });

  it('ends what is another service by now', async () => {
    const { door, cut, online, service } = await start();
    const { heard, ready } = listenTo(service);
    await ready;
    cut();
    const found = door.host.sessions.length;
    expect(found).toBe(1);
    for (const { serviceId, name } of await door.bus.services())
      if (name === 'Counter') door.bus.registry.unregister(serviceId);
    await door.bus.host('Counter', createObject({ other: method('()', 'v', () => {}) }));
    restart(door);
    await online();
    expect(heard).toEqual(['service-gone']);
    expect(await failureOf(callMethod(service, 'add', 1))).toMatchObject({ code: 'service-gone' });
  });
});
