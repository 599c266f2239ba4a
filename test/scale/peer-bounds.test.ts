// What one peer keeps for the other is bounded, and what leaves costs only what hangs on it.
import { describe, expect, it } from 'vitest';
import { type BusObject, NO_OBJECTS, type Payload, SEAM_ENCODING } from '../../protocol/bus/bus.ts';
import { FULL_AGREEMENT } from '../../protocol/bus/peer.ts';
import { QiwayError } from '../../protocol/errors.ts';
import { createObject, type HostedObject, method, signal } from '../../protocol/objects/hosted-object.ts';
import { encodePayload, plainObjects } from '../../protocol/objects/values.ts';
import { MessageType } from '../../protocol/wire/message.ts';
import { rewriteObjects } from '../../protocol/wire/rewrite.ts';
import { decodeValue, type ObjectReference } from '../../protocol/wire/value.ts';
import { callMethod, failureOf, methodOf, watch } from '../contract/calls.ts';
import { peerPair } from '../support/peer-pair.ts';
import { settled } from '../support/virtual-clock.ts';

const SERVICE = 7;

function maker(make: (count: number) => (BusObject | null)[]): HostedObject {
  return createObject({
    make: method('(i)', '[o]', make),
    one: method('()', 'o', () => make(1)[0] ?? null),
    any: method('()', 'm', () => make(1)[0] ?? null),
    take: method('(s)', 'i', (text: string) => text.length),
    pass: method('(o)', 'o', (object: BusObject | null) => object),
  });
}

const aThing = (description = ''): HostedObject =>
  createObject({ step: method('()', 'i', () => 1), changed: signal('(i)') }, { description });

describe('messages for a service that is being fetched', () => {
  it('wait up to 16 MiB a peer, over all services; the rest is refused by name and the others go on', async () => {
    const main = maker(() => []);
    const found = Promise.withResolvers<BusObject>();
    const pair = peerPair({ services: () => found.promise as Promise<BusObject>, errors: 'record' });
    const [one, other] = [SERVICE, SERVICE + 1].map((service) =>
      pair.client.remoteObject(service, 1, { metaObject: main.metaObject.bytes }),
    ) as readonly BusObject[] as readonly [BusObject, BusObject];
    const text = 'x'.repeat(6_000_000);
    const waiting = [callMethod(one, 'take', text), callMethod(other, 'take', text)];
    const refused = await failureOf(callMethod(one, 'take', text));
    expect(refused).toMatchObject({ code: 'limit-exceeded', data: { limit: 'waitingBytes', maximum: 16_777_216 } });
    waiting.push(callMethod(one, 'take', 'short'));
    await settled();
    expect(pair.server.counts.incomingCalls).toBe(0);
    pair.server.close(new QiwayError('closed', 'The end.'));
    found.resolve(main);
    await settled();
    expect(pair.sent.server.filter(({ header }) => header.type !== MessageType.error)).toEqual([]);
    pair.client.close(new QiwayError('closed', 'The end.'));
    for (const call of waiting) expect(await failureOf(call)).toMatchObject({ code: 'closed' });
  });

  it('keep none of the larger piece that they came in', async () => {
    const main = maker(() => []);
    const found = Promise.withResolvers<BusObject>();
    let isThere = false;
    const pair = peerPair({ services: () => (isThere ? main : found.promise) });
    const remote = pair.client.remoteObject(SERVICE, 1, { metaObject: main.metaObject.bytes });
    const piece = new Uint8Array(65_536);
    const { bytes } = encodePayload('(s)', ['kept'], plainObjects);
    piece.set(bytes, 100);
    const { uid } = methodOf(remote, 'take');
    const header = { id: 900, size: bytes.length, version: 0, type: MessageType.call, flags: 0 };
    pair.server.receive(
      { ...header, service: SERVICE, object: 1, action: uid },
      piece.subarray(100, 100 + bytes.length),
    );
    piece.fill(0xff); // as a buffer that is used again: what waits has its own
    isThere = true;
    found.resolve(main);
    await settled();
    const answer = pair.sent.server.find(({ header: { id } }) => id === 900);
    expect(answer?.header.type).toBe(MessageType.reply);
    expect(decodeValue('i', answer?.payload ?? new Uint8Array(0))).toBe(4);
  });
});

describe('metaobjects', () => {
  it('are one for all objects of a class, and bounded in bytes for those of different ones', async () => {
    let made = 0;
    const thing = aThing();
    const main = maker((count) =>
      Array.from({ length: count }, () => (made++ < 100 ? thing : aThing(`number ${made}`))),
    );
    const size = main.metaObject.bytes.length + thing.metaObject.bytes.length;
    const maxMetaObjectBytes = size + 10 * (thing.metaObject.bytes.length + 12);
    const pair = peerPair({ services: () => main, limits: { maxMetaObjectBytes }, errors: 'record' });
    const remote = pair.client.remoteObject(SERVICE, 1, { metaObject: main.metaObject.bytes });
    const same = (await callMethod(remote, 'make', 100)) as BusObject[];
    expect(new Set(same.map(({ metaObject }) => metaObject)).size).toBe(1);
    const different = (await callMethod(remote, 'make', 10)) as BusObject[];
    expect(new Set(different.map(({ metaObject }) => metaObject)).size).toBe(10);
    const refused = await failureOf(callMethod(remote, 'make', 1));
    expect(refused.cause).toMatchObject({ code: 'limit-exceeded', data: { limit: 'maxMetaObjectBytes' } });
    expect(await callMethod(same[0] as BusObject, 'step')).toBe(1);
  });

  it('of objects that were let go make room', async () => {
    let made = 0;
    const large = 'x'.repeat(100_000);
    const main = maker(() => [aThing(`${large} ${made++}`)]);
    const pair = peerPair({ services: () => main, limits: { maxMetaObjectBytes: 400_000 } });
    const remote = pair.client.remoteObject(SERVICE, 1, { metaObject: main.metaObject.bytes });
    for (let round = 0; round < 20; round += 1) {
      const object = (await callMethod(remote, 'one')) as BusObject;
      expect(object.metaObject.description).toBe(`${large} ${round}`);
      object.release();
    }
  });
});

describe('objects given out', () => {
  it('that have ended elsewhere are let go on both sides at once, and whoever was given them is told', async () => {
    const main = maker(() => {
      const thing = aThing();
      // Ends as soon as it was handed out, as an object of a page that closed.
      queueMicrotask(() => queueMicrotask(() => queueMicrotask(() => end(thing))));
      return [thing];
    });
    const end = (thing: HostedObject): void => {
      while (thing.goneWith === undefined) thing.release();
    };
    const pair = peerPair({ services: () => main });
    const remote = pair.client.remoteObject(SERVICE, 1, { metaObject: main.metaObject.bytes });
    const first = (await callMethod(remote, 'one')) as BusObject;
    for (let round = 0; round < 5000; round += 1) await callMethod(remote, 'one');
    await settled();
    expect(pair.server.counts.servedObjects).toBe(0);
    expect(pair.client.counts.remoteObjects).toBe(1);
    expect(pair.sent.server.filter(({ header }) => header.type === MessageType.gone)).toHaveLength(5001);
    expect(await failureOf(callMethod(first, 'step'))).toMatchObject({ code: 'object-gone' });
  });

  it('that have ended elsewhere are let go where nobody is told, and their addresses answer that nothing is there', async () => {
    const things: HostedObject[] = [];
    const main = maker(() => {
      const thing = aThing();
      things.push(thing);
      return [thing];
    });
    const pair = peerPair({ services: () => main, agreement: () => ({ ...FULL_AGREEMENT, tellsLosses: false }) });
    const remote = pair.client.remoteObject(SERVICE, 1, { metaObject: main.metaObject.bytes });
    const held = (await callMethod(remote, 'one')) as BusObject;
    while (things[0]?.goneWith === undefined) things[0]?.release();
    await settled();
    expect(pair.server.counts.servedObjects).toBe(0);
    expect(pair.sent.server.map(({ header }) => header.type)).not.toContain(MessageType.gone);
    expect(held.goneWith).toBeUndefined();
    expect(await failureOf(callMethod(held, 'step'))).toMatchObject({ code: 'object-gone' });
  });

  it('as arguments to a service that leaves end with it', async () => {
    const kept: BusObject[] = [];
    const main = createObject({ keep: method('(o)', 'v', (object: BusObject) => void kept.push(object)) });
    const pair = peerPair({ services: () => main });
    const remote = pair.client.remoteObject(SERVICE, 1, { metaObject: main.metaObject.bytes });
    await callMethod(remote, 'keep', aThing());
    expect(pair.client.counts.servedObjects).toBe(1);
    pair.client.endService(SERVICE, new QiwayError('service-gone', 'It left.'));
    expect(pair.client.counts.servedObjects).toBe(0);
  });
});

describe('calls that the other side never answers', () => {
  it('are bounded, also those that nobody waits for any more', async () => {
    const main = createObject({ never: method('()', 'v', () => new Promise<never>(() => {})) });
    const pair = peerPair({ services: () => main, limits: { maxPendingCalls: 10 } });
    const remote = pair.client.remoteObject(SERVICE, 1, { metaObject: main.metaObject.bytes });
    for (let call = 0; call < 10; call += 1) callMethod(remote, 'never').catch(() => {});
    expect(await failureOf(callMethod(remote, 'never'))).toMatchObject({ data: { limit: 'maxPendingCalls' } });
    expect(pair.client.counts.pendingCalls).toBe(10);
    pair.client.endService(SERVICE, new QiwayError('service-gone', 'It left.'));
    expect(pair.client.counts.pendingCalls).toBe(0);
  });
});

describe('calls on a service that leaves', () => {
  it('fail in the order in which they were made, in both directions, and those on others go on', async () => {
    const answers = new Map<string, () => void>();
    const main = createObject({
      wait: method('(s)', 's', (name: string) => new Promise((resolve) => answers.set(name, () => resolve(name)))),
    });
    const pair = peerPair({ services: () => main, errors: 'record' });
    const metaObject = main.metaObject.bytes;
    const leaving = pair.client.remoteObject(SERVICE, 1, { metaObject });
    const staying = pair.client.remoteObject(SERVICE + 1, 1, { metaObject });
    const failed: string[] = [];
    const made = ['a', 'b', 'c', 'd'].map((name) => {
      const calls = [callMethod(leaving, 'wait', name), callMethod(staying, 'wait', `${name} stays`)] as const;
      calls[0].catch(() => failed.push(name));
      return calls;
    });
    await settled();
    answers.get('b')?.();
    expect(await made[1]?.[0]).toBe('b');
    pair.server.stopServing(SERVICE, new QiwayError('service-gone', 'It left.'));
    await settled();
    expect(failed).toEqual(['a', 'c', 'd']);
    expect(pair.server.counts.incomingCalls).toBe(4);
    callMethod(leaving, 'wait', 'late').catch(() => failed.push('late'));
    pair.client.endService(SERVICE, new QiwayError('service-gone', 'It left.'));
    await settled();
    expect(failed).toEqual(['a', 'c', 'd', 'late']);
    expect(pair.client.counts.pendingCalls).toBe(4);
    for (const answer of answers.values()) answer();
    expect(await Promise.all(made.map(([, other]) => other))).toEqual(['a stays', 'b stays', 'c stays', 'd stays']);
    expect(pair.client.counts.pendingCalls).toBe(0);
  });
});

describe('registrations', () => {
  it('with the same link id on many objects end with their own object alone', async () => {
    const thing = aThing();
    const main = maker((count) => Array.from({ length: count }, () => thing));
    const pair = peerPair({ services: () => main });
    const remote = pair.client.remoteObject(SERVICE, 1, { metaObject: main.metaObject.bytes });
    const objects = (await callMethod(remote, 'make', 2000)) as BusObject[];
    const watched = objects.map((object) => watch(object, 'changed'));
    await Promise.all(watched.map(({ ready }) => ready));
    expect(pair.server.counts.subscriptions).toBe(2000);
    await watched[0]?.close();
    objects[1]?.release();
    await settled();
    expect(pair.server.counts).toMatchObject({ subscriptions: 1998, servedObjects: 1999 });
    thing.emit('changed', 4);
    await settled();
    expect(watched.map(({ events }) => events.all.length)).toEqual([0, 0, ...Array(1998).fill(1)]);
    pair.client.close(new QiwayError('closed', 'The end.'));
    pair.server.stopServing(SERVICE, new QiwayError('service-gone', 'It left.'));
    expect(pair.server.counts).toMatchObject({ subscriptions: 0, servedObjects: 0 });
  });

  it('and objects go away in time that grows with their number, not with its square', async () => {
    const goAway = async (count: number): Promise<number> => {
      const thing = aThing();
      const main = maker((each) => Array.from({ length: each }, () => thing));
      const pair = peerPair({ services: () => main });
      const remote = pair.client.remoteObject(SERVICE, 1, { metaObject: main.metaObject.bytes });
      const objects = (await callMethod(remote, 'make', count)) as BusObject[];
      await Promise.all(objects.map((object) => watch(object, 'changed').ready));
      const start = performance.now();
      for (const object of objects) object.release();
      await settled();
      const timeMs = performance.now() - start;
      expect(pair.server.counts).toMatchObject({ subscriptions: 0, servedObjects: 0 });
      return timeMs;
    };
    await goAway(1000);
    const few = Math.min(await goAway(1000), await goAway(1000));
    // With its square it would be four hundred times.
    expect((await goAway(20_000)) / few).toBeLessThan(120);
  });
});

describe('null objects', () => {
  const references = (signature: string, bytes: Uint8Array): ObjectReference[] => {
    const found: ObjectReference[] = [];
    rewriteObjects(signature, bytes, FULL_AGREEMENT.incoming, SEAM_ENCODING, (reference) => {
      found.push(reference);
      return reference;
    });
    return found;
  };

  it('go out with the service of their context, answered or passed on', async () => {
    const main = maker(() => [null]);
    const pair = peerPair({ services: () => main });
    const remote = pair.client.remoteObject(SERVICE, 1, { metaObject: main.metaObject.bytes });
    expect(await callMethod(remote, 'one')).toBeNull();
    expect(await callMethod(remote, 'pass', null)).toBeNull();
    const outgoing: Payload = encodePayload('(o)', [null], plainObjects);
    expect(outgoing.objects).not.toBe(NO_OBJECTS);
    const replies = pair.sent.server.filter(({ header }) => header.type === MessageType.reply);
    for (const { payload } of replies)
      expect(references('o', payload)).toMatchObject([{ service: SERVICE, object: 0 }]);
    const [, call] = pair.sent.client;
    expect(references('(o)', call?.payload ?? new Uint8Array(0))).toMatchObject([{ service: SERVICE, object: 0 }]);
  });
});
