// A session over transports in memory: hello, calls both ways, what is released, what is refused.
import type { BusObject, Payload } from '@qiway/protocol/bus/bus';
import { callObject } from '@qiway/protocol/bus/call';
import { serving } from '@qiway/protocol/bus/serving';
import { createObject, method, property, signal } from '@qiway/protocol/objects/hosted-object';
import { decodePayload, encodePayload, plainObjects } from '@qiway/protocol/objects/values';
import { openSession } from '@qiway/protocol/session/client-session';
import type { Transport } from '@qiway/protocol/session/transport';
import { ControlType } from '@qiway/protocol/wire/link-frame';
import { describe, expect, it } from 'vitest';
import { memoryDoor, randomBytes, TOKEN } from '../support/memory-session.ts';
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

  it('releases everything a session held when its link breaks', async () => {
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
    await expect(door.open('wrong')).rejects.toMatchObject({ code: 'unauthorized' });
  });

  it('refuses anything before hello, a hello that is not JSON, and silence', async () => {
    door = memoryDoor();
    const closed: string[] = [];
    const frames = [
      frame(1, new Uint8Array(0)),
      frame(ControlType.hello, new TextEncoder().encode('no')),
      frame(ControlType.hello, new Uint8Array(5000)),
      new Uint8Array(3),
    ];
    for (const bytes of frames) {
      const transport = door.dial();
      transport.listen({ message: () => {}, drain: () => {}, close: (reason) => closed.push(reason) });
      transport.send(bytes);
      await settled();
    }
    expect(closed).toHaveLength(frames.length);
    door.dial().listen({ message: () => {}, drain: () => {}, close: (reason) => closed.push(reason) });
    await door.clock.advance(5_001);
    expect(closed).toHaveLength(frames.length + 1);
    expect(door.serverSessions.every((session) => session.state === 'closed')).toBe(true);
  });

  it('stays up while nothing is said, and measures the round trip', async () => {
    door = memoryDoor();
    const session = await door.open();
    await door.clock.advance(60_000);
    expect(session.state).toBe('up');
    expect(session.rttMs).toBeTypeOf('number');
  });

  it('notices on both sides within ten heartbeats that nothing comes any more', async () => {
    door = memoryDoor();
    const transport = door.dial();
    let isCut = false;
    const cut: Transport = {
      route: 'direct',
      bufferedBytes: 0,
      send: (message, rest) => isCut || transport.send(message, rest),
      close: () => {},
      listen: (listener) => transport.listen({ ...listener, message: (bytes) => isCut || listener.message(bytes) }),
    };
    const session = await openSession(cut, {
      token: TOKEN,
      clock: door.clock,
      random: randomBytes,
      client: 'test',
      timeoutMs: 1000,
      serving,
    });
    await door.clock.advance(10_000);
    expect(session.state).toBe('up');
    isCut = true;
    await door.clock.advance(10_000);
    await expect(session.closed).resolves.toMatchObject({ code: 'link-lost' });
    expect(door.serverSessions[0]?.state).toBe('closed');
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
