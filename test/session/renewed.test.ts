// A new session takes the place of one that the agent no longer has.
import { QiwayError } from '@qiway/protocol/errors';
import { createObject, method } from '@qiway/protocol/objects/hosted-object';
import { SessionHost } from '@qiway/protocol/session/session-host';
import { describe, expect, it } from 'vitest';
import { callMethod, failureOf } from '../contract/calls.ts';
import type { MemoryDoor } from '../support/memory-session.ts';
import { settled } from '../support/virtual-clock.ts';
import { listenTo, start } from './counter-session.ts';

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
