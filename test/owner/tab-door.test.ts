// What a tab has of the robot through its door, and what becomes of it when the tab is gone.
import { fetchObject } from '@qiway/protocol/directory/fetch-object';
import { createObject, method, signal } from '@qiway/protocol/objects/hosted-object';
import { encodePayload, plainObjects } from '@qiway/protocol/objects/values';
import { describe, expect, it } from 'vitest';
import { Collected, callMethod, failureOf, methodOf, signalOf, startCall, watch } from '../contract/calls.ts';
import { type DoorTab, doorLab, quiet } from './door-lab.ts';

const service = async (tab: DoorTab) => tab.bus.service('Echo');

describe('a door', () => {
  it('passes calls, values and errors with their code', async () => {
    const { tab } = await doorLab();
    const echo = await service(await tab());
    expect(await callMethod(echo, 'three', 7, 'seven', 1.5)).toBe('seven:7:1.500000');
    expect((await failureOf(callMethod(echo, 'fail', 'ouch'))).message).toContain('ouch');
    expect((await failureOf((await tab()).bus.service('Nobody'))).code).toBe('service-not-found');
  });

  it('says that a call of a session that is gone may have run, and that what is called then was not sent', async () => {
    const { agent, session, tab } = await doorLab();
    const echo = await service(await tab());
    const { outcome } = startCall(echo, 'slowUncancellable', 60_000);
    await quiet();
    agent.onDial = () => {
      throw new Error('nobody there');
    };
    session.link?.transport.close(4400, 'cut');
    await quiet();
    expect(session.sessionState).toBe('offline');
    expect(await failureOf(callMethod(echo, 'doNothing'))).toMatchObject({ code: 'offline', maybeExecuted: false });
    await session.close();
    expect(await failureOf(outcome)).toMatchObject({ maybeExecuted: true });
  });

  it('makes one registration of the same subscription of two tabs, until the last has ended', async () => {
    const { agent, echo, tab } = await doorLab();
    const registrations = (): number | undefined => agent.serverSessions[0]?.counts.subscriptions;
    const before = registrations() ?? 0;
    const [one, other] = [await tab(), await tab()];
    const [heardByOne, heardByOther] = [watch(await service(one), 'onEcho'), watch(await service(other), 'onEcho')];
    await Promise.all([heardByOne.ready, heardByOther.ready]);
    const during = registrations() ?? 0;
    expect(during - before).toBeGreaterThan(0);
    const again = watch(await service(other), 'onEcho');
    await again.ready;
    expect(registrations()).toBe(during);
    echo.object.emit('onEcho', 'hello');
    await quiet();
    expect([heardByOne.events.all, heardByOther.events.all]).toEqual([[['hello']], [['hello']]]);
    one.die();
    await quiet();
    echo.object.emit('onEcho', 'still');
    await quiet();
    expect([heardByOne.events.all.length, heardByOther.events.all.length]).toEqual([1, 2]);
    other.die();
    await quiet();
    expect(registrations() ?? 0).toBeLessThan(during);
  });

  it('asks the agent for what the most eager tab wants, and for less when that one leaves', async () => {
    const { agent, echo, counts, tab } = await doorLab();
    const [eager, modest] = [await tab(), await tab()];
    const heardBy = async (from: DoorTab, maxHz: number): Promise<Collected<unknown>> => {
      const echoed = await service(from);
      const events = new Collected<unknown>();
      const demand = { policy: 'latest', maxHz } as const;
      const sink = { event: () => events.add(1), gone: () => {}, demand };
      await echoed.subscribe(signalOf(echoed, 'onTick'), sink).ready;
      return events;
    };
    /** What went over the link, in events. */
    const sentIn = async (ms: number): Promise<number> => {
      const at = counts.eventsThinned;
      let emitted = 0;
      for (let tick = 0; tick < ms / 10; tick += 1, emitted += 1) {
        echo.object.emit('onTick', tick);
        await agent.clock.advance(10);
      }
      return emitted - (counts.eventsThinned - at);
    };
    const [many, few] = [await heardBy(eager, 20), await heardBy(modest, 2)];
    const both = await sentIn(2000);
    expect(both).toBeGreaterThan(30);
    expect(both).toBeLessThan(50);
    expect(many.all.length).toBeGreaterThan(30);
    expect(few.all.length).toBeGreaterThan(2);
    expect(few.all.length).toBeLessThan(7);
    eager.die();
    await quiet();
    expect(await sentIn(2000)).toBeLessThan(8);
  });

  it('releases what the robot gave the tab', async () => {
    const { echo, tab } = await doorLab();
    const [one, other] = [await tab(), await tab()];
    await callMethod(await service(one), 'makeCounters', 5);
    await callMethod(await service(other), 'makeCounter', 1);
    expect(echo.liveCounters()).toBe(6);
    one.die();
    await quiet();
    expect(echo.liveCounters()).toBe(1);
  });

  it('cancels on the robot what the tab had under way', async () => {
    const { agent, tab } = await doorLab();
    const canceled: number[] = [];
    await agent.bus.host(
      'Walk',
      createObject({
        go: method('()', 'v', ({ onCancel }: { onCancel(run: () => void): void }) => {
          return new Promise<void>(() => onCancel(() => canceled.push(1)));
        }),
      }),
    );
    const one = await tab();
    startCall(await one.bus.service('Walk'), 'go');
    await quiet();
    expect(canceled).toEqual([]);
    one.die();
    await quiet();
    expect(canceled).toEqual([1]);
  });
});

describe('a service of a tab', () => {
  const greeter = (name: string) =>
    createObject({ greet: method('(s)', 's', (whom: string) => `${name} greets ${whom}`), greeted: signal('(s)') });

  it('is reached from another tab and from the robot, signals too, and leaves the bus with the tab', async () => {
    const { agent, tab } = await doorLab();
    const [one, other] = [await tab(), await tab()];
    const object = greeter('one');
    await one.bus.host('Greeter', object);
    const seenByOther = await other.bus.service('Greeter');
    const seenByRobot = await agent.bus.service('Greeter');
    expect(await callMethod(seenByOther, 'greet', 'you')).toBe('one greets you');
    expect(await callMethod(seenByRobot, 'greet', 'robot')).toBe('one greets robot');
    const heard = watch(seenByOther, 'greeted');
    await heard.ready;
    object.emit('greeted', 'all');
    await quiet();
    expect(heard.events.all).toEqual([['all']]);
    one.die();
    await quiet();
    expect((await agent.bus.services()).map(({ name }) => name)).not.toContain('Greeter');
    expect((await heard.gone).code).toMatch(/gone/);
    expect((await failureOf(callMethod(seenByOther, 'greet', 'you'))).code).toMatch(/gone|link-lost/);
  });

  it('is taken off the bus when the tab takes it off, and the tab goes on', async () => {
    const { agent, tab } = await doorLab();
    const one = await tab();
    const hosted = await one.bus.host('Greeter', greeter('one'));
    await hosted.close();
    await quiet();
    expect((await agent.bus.services()).map(({ name }) => name)).not.toContain('Greeter');
    await one.bus.host('Greeter', greeter('one again'));
    expect(await callMethod(await agent.bus.service('Greeter'), 'greet', 'you')).toBe('one again greets you');
  });

  it('is taken off the bus also when the tab went between the registration and its answer', async () => {
    const { agent, gate, tab } = await doorLab();
    const one = await tab();
    const directory = await fetchObject(one.peer, 1, { clock: agent.clock, timeoutMs: 1000 });
    const { uid, parametersSignature } = methodOf(directory, 'registerService');
    const info = {
      name: 'Late',
      serviceId: 0,
      machineId: 'm',
      processId: 1,
      endpoints: [],
      sessionId: 's',
      objectUid: '',
    };
    const payload = encodePayload(parametersSignature, [info], plainObjects);
    gate.stop();
    directory.call({ action: uid, payload }, { reply: () => {}, error: () => {}, canceled: () => {} });
    await quiet();
    one.door.end({ isWanted: false });
    await quiet();
    gate.go();
    await quiet();
    // The name is free again.
    await (await tab()).bus.host('Late', greeter('other'));
    expect(await callMethod(await agent.bus.service('Late'), 'greet', 'you')).toBe('other greets you');
  });
});

describe('a tab that is silent', () => {
  it('is gone after 15 s of unanswered pings, and not before; one that answers stays', async () => {
    const lab = await doorLab();
    let isDeaf = false;
    await lab.tab((transport) => ({
      get route() {
        return transport.route;
      },
      get bufferedBytes() {
        return transport.bufferedBytes;
      },
      send: (part, rest) => transport.send(part, rest),
      close: (code, reason) => transport.close(code, reason),
      listen: (listener) =>
        transport.listen({ ...listener, message: (bytes) => (isDeaf ? undefined : listener.message(bytes)) }),
    }));
    await lab.tab();
    await lab.agent.clock.advance(60_000);
    expect(lab.ended).toEqual([]);
    isDeaf = true;
    await lab.agent.clock.advance(14_000);
    expect(lab.ended).toEqual([]);
    await lab.agent.clock.advance(7_000);
    expect(lab.ended).toHaveLength(1);
    await lab.agent.clock.advance(60_000);
    expect(lab.ended).toHaveLength(1);
  });

  it('stays when it was the computer that slept', async () => {
    const { agent, tab, ended } = await doorLab();
    const one = await tab();
    await agent.clock.advance(7_000);
    agent.clock.stall(3_600_000);
    await agent.clock.advance(60_000);
    expect(ended).toEqual([]);
    expect(one.wire.isAttached).toBe(true);
  });
});

describe('a tab that does not read', () => {
  it('misses events, is told how many, and others notice nothing', async () => {
    const { echo, tab } = await doorLab();
    let waits = 0;
    let drain = (): void => {};
    let isReading = false;
    const slow = await tab((transport) => ({
      route: transport.route,
      get bufferedBytes() {
        return waits;
      },
      send: (part, rest) => {
        if (!isReading) waits += part.length + (rest ?? []).reduce((sum, each) => sum + each.length, 0);
        return transport.send(part, rest);
      },
      close: (code, reason) => transport.close(code, reason),
      listen: (listener) => {
        drain = () => listener.drain();
        transport.listen(listener);
      },
    }));
    const other = await tab();
    const gaps: (number | undefined)[] = [];
    let events = 0;
    const echoed = await service(slow);
    const sink = { event: () => (events += 1), gone: () => {}, gap: (missed: number | undefined) => gaps.push(missed) };
    await echoed.subscribe(signalOf(echoed, 'onRaw'), sink).ready;
    const heard = watch(await service(other), 'onRaw');
    await heard.ready;
    const picture = new Uint8Array(256 * 1024);
    for (let frame = 0; frame < 100; frame += 1) {
      echo.object.emit('onRaw', picture);
      await quiet();
    }
    expect(heard.events.all).toHaveLength(100);
    expect(events).toBeGreaterThan(20);
    expect(events).toBeLessThan(40);
    expect(waits).toBeLessThan(10 * 1024 * 1024);
    isReading = true;
    waits = 0;
    drain();
    await quiet();
    expect(gaps).toEqual([100 - events]);
    echo.object.emit('onRaw', picture);
    await quiet();
    expect(heard.events.all).toHaveLength(101);
  });
});
