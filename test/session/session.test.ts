// A session over transports in memory: hello, calls both ways, what is released, what is refused.
import type { BusObject, Payload } from '@qiway/protocol/bus/bus';
import { callObject } from '@qiway/protocol/bus/call';
import { createObject, method, property, signal } from '@qiway/protocol/objects/hosted-object';
import { decodePayload, encodePayload, plainObjects } from '@qiway/protocol/objects/values';
import { encodeControl } from '@qiway/protocol/session/control';
import { memoryTransports } from '@qiway/protocol/transport/memory';
import { ControlType } from '@qiway/protocol/wire/link-frame';
import { describe, expect, it } from 'vitest';
import { memoryDoor, TOKEN } from '../support/memory-session.ts';
import { settled } from '../support/virtual-clock.ts';

function idOf(object: BusObject, name: string): number {
  const all = [...object.metaObject.methods.values(), ...object.metaObject.signals.values()];
  const found = all.find((member) => member.name === name);
  if (found === undefined) throw new Error(`no member ${name}`);
  return found.uid;
}

function payload(signature: string, value: unknown): Payload {
  return encodePayload(signature, value, plainObjects);
}

function greeter(): ReturnType<typeof createObject> {
  return createObject({
    greet: method('(s)', 's', (name: string) => `hello ${name}`),
    big: method('(I)', 'r', (size: number) => new Uint8Array(size).fill(7)),
    size: method('(r)', 'I', (raw: Uint8Array) => raw.length),
    child: method('()', 'o', () => createObject({ ping: method('()', 's', () => 'pong') })),
    callBack: method('(o)', 's', async (other: BusObject) => {
      const answer = await callObject(
        other,
        { action: idOf(other, 'ask'), payload: payload('()', []) },
        { clock: door.clock, timeoutMs: 1000 },
      );
      other.release();
      return decodePayload(answer, plainObjects);
    }),
    greeted: signal('(s)'),
    volume: property('i', 3),
  });
}

let door = memoryDoor();

async function ask(object: BusObject, name: string, signature: string, args: readonly unknown[]): Promise<unknown> {
  const reply = await callObject(
    object,
    { action: idOf(object, name), payload: payload(signature, args) },
    { clock: door.clock, timeoutMs: 1000 },
  );
  return decodePayload(reply, plainObjects);
}

describe('a session over a link', () => {
  it('calls a service and gets its answer', async () => {
    door = memoryDoor();
    await door.bus.host('Greeter', greeter());
    const session = await door.open();
    const object = await session.service('Greeter');
    expect(await ask(object, 'greet', '(s)', ['you'])).toBe('hello you');
    expect((await session.services()).map((info) => info.name)).toEqual(['ServiceDirectory', 'Greeter']);
  });

  it('carries payloads larger than a fragment both ways', async () => {
    door = memoryDoor();
    await door.bus.host('Greeter', greeter());
    const object = await (await door.open()).service('Greeter');
    const raw = (await ask(object, 'big', '(I)', [1_000_001])) as Uint8Array;
    expect(raw.length).toBe(1_000_001);
    expect(raw.every((byte) => byte === 7)).toBe(true);
    expect(await ask(object, 'size', '(r)', [new Uint8Array(300_000)])).toBe(300_000);
  });

  it('refuses what is larger than the other side takes, and goes on', async () => {
    door = memoryDoor({ limits: { maxMessageBytes: 200_000, maxQueuedBytes: 1_000_000 } });
    await door.bus.host('Greeter', greeter());
    const session = await door.open();
    const { closed } = session;
    let isClosed = false;
    void closed.then(() => {
      isClosed = true;
    });
    const object = await session.service('Greeter');
    const tooLarge = { code: 'limit-exceeded', data: { limit: 'maxMessageBytes', maximum: 200_000 } };
    await expect(ask(object, 'size', '(r)', [new Uint8Array(300_000)])).rejects.toMatchObject({
      ...tooLarge,
      maybeExecuted: false,
    });
    await expect(ask(object, 'big', '(I)', [300_000])).rejects.toMatchObject({ ...tooLarge, maybeExecuted: true });
    expect(await ask(object, 'size', '(r)', [new Uint8Array(150_000)])).toBe(150_000);
    expect([door.dials.count, door.serverSessions.length, isClosed]).toEqual([1, 1, false]);
  });

  it('gives a returned object a life of its own, ended by release', async () => {
    door = memoryDoor();
    await door.bus.host('Greeter', greeter());
    const object = await (await door.open()).service('Greeter');
    const child = (await ask(object, 'child', '()', [])) as BusObject;
    expect(await ask(child, 'ping', '()', [])).toBe('pong');
    expect(door.serverSessions[0]?.counts.servedObjects).toBe(1);
    child.release();
    await settled();
    expect(door.serverSessions[0]?.counts.servedObjects).toBe(0);
    await expect(ask(child, 'ping', '()', [])).rejects.toMatchObject({ code: 'object-gone' });
  });

  it('lets a service call an object that the client gave it', async () => {
    door = memoryDoor();
    await door.bus.host('Greeter', greeter());
    const session = await door.open();
    const object = await session.service('Greeter');
    const mine = createObject({ ask: method('()', 's', () => 'from the page') });
    expect(await ask(object, 'callBack', '(o)', [mine])).toBe('from the page');
    await settled();
    expect(session.counts.servedObjects).toBe(0);
  });

  it('serves a service that the client hosts to another client, until its session ends', async () => {
    door = memoryDoor();
    const host = await door.open();
    const user = await door.open();
    await host.host('FromPage', greeter());
    const object = await user.service('FromPage');
    expect(await ask(object, 'greet', '(s)', ['robot'])).toBe('hello robot');
    await host.close();
    await settled();
    expect((await user.services()).map((info) => info.name)).toEqual(['ServiceDirectory']);
    await expect(ask(object, 'greet', '(s)', ['robot'])).rejects.toMatchObject({ code: 'service-gone' });
  });

  it('registers once for any number of local subscribers, and each gets every event once', async () => {
    door = memoryDoor();
    const hosted = greeter();
    await door.bus.host('Greeter', hosted);
    const session = await door.open();
    const object = await session.service('Greeter');
    const heard: string[][] = [[], []];
    const subscriptions = heard.map((list) =>
      object.subscribe(idOf(object, 'greeted'), {
        event: (event) => list.push(...(decodePayload(event, plainObjects) as string[])),
        gone: () => {},
      }),
    );
    await Promise.all(subscriptions.map((one) => one.ready));
    const registeredBefore = door.serverSessions[0]?.counts.subscriptions;
    hosted.emit('greeted', 'a');
    hosted.emit('greeted', 'b');
    await settled();
    expect(heard).toEqual([
      ['a', 'b'],
      ['a', 'b'],
    ]);
    await subscriptions[0]?.close();
    hosted.emit('greeted', 'c');
    await settled();
    expect(heard).toEqual([
      ['a', 'b'],
      ['a', 'b', 'c'],
    ]);
    await subscriptions[1]?.close();
    expect(door.serverSessions[0]?.counts.subscriptions).toBe((registeredBefore ?? 0) - 1);
  });

  it('releases everything a session held when it ends', async () => {
    door = memoryDoor();
    const hosted = greeter();
    await door.bus.host('Greeter', hosted);
    const session = await door.open();
    const object = await session.service('Greeter');
    await object.subscribe(idOf(object, 'greeted'), { event: () => {}, gone: () => {} }).ready;
    await ask(object, 'child', '()', []);
    door.serverSessions[0]?.close();
    await settled();
    expect(door.serverSessions[0]?.counts).toMatchObject({ servedObjects: 0, subscriptions: 0, incomingCalls: 0 });
    expect(object.goneWith?.code).toBe('link-lost');
    await expect(session.closed).resolves.toMatchObject({ code: 'link-lost' });
  });

  it('refuses a wrong token and says what to do', async () => {
    door = memoryDoor();
    await expect(door.open({ token: 'wrong' })).rejects.toMatchObject({ code: 'unauthorized' });
  });

  it('refuses a hello that is not one, and ends a link on which the client does not go on', async () => {
    door = memoryDoor();
    const closed: string[] = [];
    const listener = { message: () => {}, drain: () => {}, close: (reason: string) => closed.push(reason) };
    const good = encodeControl({ protocol: 2, token: TOKEN, client: 'x', attempt: 1 });
    const hellos = [
      new Uint8Array(0),
      encodeControl([]),
      encodeControl({ protocol: 2 }),
      encodeControl({ ...{}, protocol: 1, client: 'x', attempt: 1 }),
    ];
    for (const hello of hellos) {
      const [ours, theirs] = memoryTransports();
      ours.listen(listener);
      door.host.accept(theirs, { hello, clientId: 'stranger', address: 'memory' });
      await settled();
    }
    expect(closed).toEqual(['wire-invalid', 'wire-invalid', 'wire-invalid', 'protocol-mismatch']);
    for (const first of [frame(1, new Uint8Array(0)), frame(ControlType.hello, good), new Uint8Array(3), undefined]) {
      const [ours, theirs] = memoryTransports();
      ours.listen(listener);
      door.host.accept(theirs, { hello: good, clientId: 'stranger', address: 'memory' });
      await settled();
      if (first !== undefined) ours.send(first);
      await settled();
    }
    expect(closed.slice(4)).toEqual(['wire-invalid', 'wire-invalid', 'wire-invalid']);
    await door.clock.advance(5_001);
    expect(closed.slice(7)).toEqual(['timeout']);
    expect(door.serverSessions).toEqual([]);
  });

  it('stays up while nothing is said, and measures the round trip', async () => {
    door = memoryDoor();
    const session = await door.open();
    await door.clock.advance(60_000);
    expect(session.state).toBe('up');
    expect(session.rttMs).toBeTypeOf('number');
  });

  it('says that a call under way may have run when the link breaks', async () => {
    door = memoryDoor();
    await door.bus.host('Slow', createObject({ wait: method('()', 'v', () => new Promise(() => {})) }));
    const session = await door.open();
    const object = await session.service('Slow');
    const call = ask(object, 'wait', '()', []);
    await settled();
    door.serverSessions[0]?.close();
    await expect(call).rejects.toMatchObject({ code: 'link-lost', maybeExecuted: true });
    await expect(ask(object, 'wait', '()', [])).rejects.toMatchObject({ code: 'link-lost', maybeExecuted: false });
  });

  it('tells the names that look alike for a service that is not there', async () => {
    door = memoryDoor();
    await door.bus.host('Greeter', greeter());
    const session = await door.open();
    await expect(session.service('Greter')).rejects.toMatchObject({
      code: 'service-not-found',
      data: { nearest: ['Greeter'] },
    });
  });
});

function frame(type: number, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(24 + body.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, body.length, true);
  view.setUint8(4, type);
  bytes.set(body, 24);
  return bytes;
}
