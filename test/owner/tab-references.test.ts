// What a door holds of the session for its tab, and lets go of: objects that it fetched, services that it lends, registrations.
import type { BusObject } from '@qiway/protocol/bus/bus';
import { fetchObject } from '@qiway/protocol/directory/fetch-object';
import { createObject, method, signal } from '@qiway/protocol/objects/hosted-object';
import { encodePayload, plainObjects } from '@qiway/protocol/objects/values';
import type { ClientSession } from '@qiway/protocol/session/client-session';
import { describe, expect, it, vi } from 'vitest';
import { callMethod, failureOf, methodOf, watch } from '../contract/calls.ts';
import { doorLab, quiet } from './door-lab.ts';

/** References that are taken from here on. */
function counted(object: BusObject): () => number {
  const [retain, release] = [vi.spyOn(object, 'retain'), vi.spyOn(object, 'release')];
  return () => retain.mock.calls.length - release.mock.calls.length;
}

const greeter = () => createObject({ greet: method('(s)', 's', (whom: string) => `hello ${whom}`) });

/** What the session was asked to serve for tabs. */
function lentBy(session: ClientSession): (() => BusObject | Promise<BusObject>)[] {
  const lent: (() => BusObject | Promise<BusObject>)[] = [];
  const lend = session.bus.lend.bind(session.bus);
  vi.spyOn(session.bus, 'lend').mockImplementation((id, object) => {
    lent.push(object);
    return lend(id, object);
  });
  return lent;
}

describe('an object that a door fetched', () => {
  it('is held as long as the tab is there: the session’s own, the directory, services', async () => {
    const { session, tab, agent } = await doorLab();
    const { serviceId } = await agent.bus.serviceInfo('Echo');
    const objects = [await session.own(), await session.bus.object(1), await session.bus.object(serviceId)];
    const references = objects.map(counted);
    const one = await tab();
    for (const id of [0, serviceId]) await fetchObject(one.peer, id, { clock: agent.clock, timeoutMs: 1000 });
    expect(references.map((count) => count())).toEqual([1, 1, 1]);
    one.die();
    await quiet();
    expect(references.map((count) => count())).toEqual([0, 0, 0]);
  });

  it('is let go of also when it came after the tab had gone', async () => {
    const { session, tab, agent } = await doorLab();
    const { serviceId } = await agent.bus.serviceInfo('Echo');
    const object = await session.bus.object(serviceId);
    const references = counted(object);
    const one = await tab();
    const fetch = session.bus.object.bind(session.bus);
    const go = Promise.withResolvers<void>();
    vi.spyOn(session.bus, 'object').mockImplementation(async (id) => {
      await go.promise;
      return fetch(id);
    });
    const asked = failureOf(fetchObject(one.peer, serviceId, { clock: agent.clock, timeoutMs: 1000 }));
    await quiet();
    one.die();
    expect((await asked).code).toBe('link-lost');
    go.resolve();
    await quiet();
    expect(references()).toBe(0);
  });

  it('stays what it is for other tabs when some go while they ask for it', async () => {
    const { session, tab, agent, echo } = await doorLab();
    const { serviceId } = await agent.bus.serviceInfo('Echo');
    const heard = watch(await (await tab()).bus.service('Echo'), 'onEcho');
    await heard.ready;
    const fetch = session.bus.object.bind(session.bus);
    const go = Promise.withResolvers<void>();
    vi.spyOn(session.bus, 'object').mockImplementation(async (id) => {
      if (id === serviceId) await go.promise;
      return fetch(id);
    });
    for (let gone = 0; gone < 3; gone += 1) {
      const brief = await tab();
      fetchObject(brief.peer, serviceId, { clock: agent.clock, timeoutMs: 1000 }).catch(() => {});
      await quiet();
      brief.die();
    }
    go.resolve();
    await quiet();
    echo.object.emit('onEcho', 'hello');
    await quiet();
    expect(heard.events.all).toEqual([['hello']]);
  });

  it('that could not be had is asked for again by the next call', async () => {
    const { session, tab, agent } = await doorLab();
    const { serviceId } = await agent.bus.serviceInfo('Echo');
    const one = await tab();
    vi.spyOn(session.bus, 'object').mockRejectedValueOnce(new Error('not now'));
    const limit = { clock: agent.clock, timeoutMs: 1000 };
    expect((await failureOf(fetchObject(one.peer, serviceId, limit))).message).toContain('not now');
    expect(await callMethod(await fetchObject(one.peer, serviceId, limit), 'voidCalls')).toBe(0);
  });

  it('ends with its service: registrations of the tab are closed, and nobody is at its address any more', async () => {
    const { session, tab, agent } = await doorLab();
    const hosted = await agent.bus.host('Brief', createObject({ called: signal('(s)') }));
    const { serviceId } = await agent.bus.serviceInfo('Brief');
    const object = await session.bus.object(serviceId);
    const subscribe = vi.spyOn(object, 'subscribe');
    const one = await tab();
    const brief = await one.bus.service('Brief');
    await watch(brief, 'called').ready;
    const subscription = subscribe.mock.results[0]?.value;
    const close = vi.spyOn(subscription, 'close');
    await hosted.close();
    await quiet();
    expect(close).toHaveBeenCalledTimes(1);
    const again = fetchObject(one.peer, serviceId, { clock: agent.clock, timeoutMs: 1000 });
    expect((await failureOf(again)).code).toMatch(/^(service|object)-(gone|not-found)$/);
  });
});

describe('a service that a door lends', () => {
  it('is one object for all who call it, let go of when the tab takes it off the bus', async () => {
    const { session, tab } = await doorLab();
    const lent = lentBy(session);
    const one = await tab();
    const hosted = await one.bus.host('Greeter', greeter());
    const object = await lent[0]?.();
    if (object === undefined) throw new Error('it was not lent');
    expect(await lent[0]?.()).toBe(object);
    const references = counted(object);
    await hosted.close();
    await quiet();
    expect(references()).toBe(-1);
  });

  it('is served no more when the tab is gone', async () => {
    const { session, tab, agent } = await doorLab();
    const one = await tab();
    await one.bus.host('Greeter', greeter());
    const { serviceId } = await agent.bus.serviceInfo('Greeter');
    expect(session.bus.served(serviceId)).toBeDefined();
    one.die();
    await quiet();
    expect(session.bus.served(serviceId)).toBeUndefined();
  });

  it('is asked for again when the tab did not answer the first time', async () => {
    const { session, tab, agent } = await doorLab();
    const lent = lentBy(session);
    let isDeaf = false;
    const one = await tab((transport) => ({
      route: transport.route,
      bufferedBytes: 0,
      send: (part, rest) => isDeaf || transport.send(part, rest),
      close: (code, reason) => transport.close(code, reason),
      listen: (listener) => transport.listen(listener),
    }));
    const directory = await fetchObject(one.peer, 1, { clock: agent.clock, timeoutMs: 1000 });
    const { uid, parametersSignature } = methodOf(directory, 'registerService');
    const info = {
      name: 'Slow',
      serviceId: 0,
      machineId: 'm',
      processId: 1,
      endpoints: [],
      sessionId: 's',
      objectUid: '',
    };
    const payload = encodePayload(parametersSignature, [info], plainObjects);
    directory.call({ action: uid, payload }, { reply: () => {}, error: () => {}, canceled: () => {} });
    await quiet();
    expect(lent).toHaveLength(1);
    isDeaf = true;
    const first = failureOf(Promise.resolve(lent[0]?.()));
    await agent.clock.advance(10_001);
    expect((await first).code).toBe('timeout');
    isDeaf = false;
    // Now it is heard: it has registered the service, and does not serve it.
    expect((await failureOf(Promise.resolve(lent[0]?.()))).code).toBe('object-gone');
  });
});
