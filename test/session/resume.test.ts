// A session goes on over other links.
import { NO_OBJECTS } from '@qiway/protocol/bus/bus';
import { StandardAction } from '@qiway/protocol/bus/metaobject';
import { QiwayError } from '@qiway/protocol/errors';
import type { Transport } from '@qiway/protocol/session/transport';
import { describe, expect, it } from 'vitest';
import { callMethod, failureOf } from '../contract/calls.ts';
import { memoryDoor } from '../support/memory-session.ts';
import { settled } from '../support/virtual-clock.ts';
import { cuttable, listenTo, start } from './counter-session.ts';

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
