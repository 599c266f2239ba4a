// A peer with nothing but another peer beside it: numbers, flags, bounds, and what is left after the end.
import { describe, expect, test } from 'vitest';
import { type BusObject, NO_OBJECTS } from '../../protocol/bus/bus.ts';
import { FULL_AGREEMENT, Peer, type PeerAgreement } from '../../protocol/bus/peer.ts';
import { serving } from '../../protocol/bus/serving.ts';
import { fetchObject } from '../../protocol/directory/fetch-object.ts';
import { QiwayError } from '../../protocol/errors.ts';
import { createObject, method, signal } from '../../protocol/objects/hosted-object.ts';
import { asDynamic, encodePayload, plainObjects } from '../../protocol/objects/values.ts';
import { systemClock } from '../../protocol/transport/system-clock.ts';
import { MessageType } from '../../protocol/wire/message.ts';
import { createMetaObjectCache, encodeValue } from '../../protocol/wire/value.ts';
import { callMethod, failureOf, methodOf, start, startCall, watch } from '../contract/calls.ts';
import { createEchoService, type EchoService } from '../support/echo-service.ts';
import { type PeerPair, type PeerPairOptions, peerPair } from '../support/peer-pair.ts';

const ECHO = 2;
const FIRST_ARGUMENT_OBJECT = 0x8000_0000;

interface Bench {
  readonly pair: PeerPair;
  readonly echo: EchoService;
  readonly remote: BusObject;
}

async function bench(options: PeerPairOptions = {}): Promise<Bench> {
  const echo = createEchoService();
  const pair = peerPair({ services: (id) => (id === ECHO ? echo.object : undefined), ...options });
  const remote = await fetchObject(pair.client, ECHO, { clock: systemClock, timeoutMs: 10_000 });
  return { pair, echo, remote };
}

const given = () => createObject({ onCallback: method('(i)', 'i', (value: number) => value), fired: signal('(i)') });

describe('another side that reads too slowly', () => {
  test('fails what waits for an answer, and nothing is kept; what waits for none is not said', async () => {
    const full = new QiwayError('limit-exceeded', 'More waits than may.');
    let isFull = false;
    const sent: number[] = [];
    const peer = new Peer({
      send: ({ type }) => {
        if (isFull) throw full;
        sent.push(type);
      },
      serving: serving({ services: () => undefined, errors: 'text' }),
      randomUid: () => new Uint8Array(20),
    });
    const { metaObject } = createEchoService().object;
    const remote = peer.remoteObject(ECHO, 7, { metaObject: metaObject.bytes });
    const { outcome, handle } = startCall(remote, 'slow', 1000);
    isFull = true;
    expect(await failureOf(callMethod(remote, 'doNothing'))).toBe(full);
    handle.cancel();
    remote.post(methodOf(remote, 'doNothing').uid, encodePayload('()', [], plainObjects));
    remote.release();
    expect(sent).toEqual([MessageType.call]);
    expect(peer.counts).toMatchObject({ pendingCalls: 1, remoteObjects: 0 });
    peer.close(full);
    expect((await failureOf(outcome)).code).toBe('limit-exceeded');
  });
});

describe('objects', () => {
  test('returned ones count from 2, given ones from 2^31, under the service of the call', async () => {
    const { pair, remote } = await bench();
    const counter = (await callMethod(remote, 'makeCounter', 0)) as BusObject;
    await callMethod(counter, 'increment', 1);
    expect(pair.sent.client.at(-1)?.header).toMatchObject({ service: ECHO, object: 2 });
    await callMethod(remote, 'callObject', given(), 'onCallback', 1);
    const back = pair.sent.server.find(({ header }) => header.type === MessageType.call);
    expect(back?.header).toMatchObject({ service: ECHO, object: FIRST_ARGUMENT_OBJECT });
  });

  test('nothing is left of them once both sides let go', async () => {
    const { pair, remote } = await bench();
    const counters = (await callMethod(remote, 'makeCounters', 10)) as BusObject[];
    await Promise.all(counters.map((counter) => watch(counter, 'changed').ready));
    await callMethod(remote, 'keepObject', given());
    expect(pair.server.counts).toMatchObject({ servedObjects: 10, remoteObjects: 1, subscriptions: 10 });
    expect(pair.client.counts).toMatchObject({ servedObjects: 1, remoteObjects: 11 });
    for (const counter of counters) counter.release();
    await callMethod(remote, 'dropObject');
    await callMethod(remote, 'doNothing');
    expect(pair.server.counts).toEqual({
      pendingCalls: 0,
      remoteObjects: 0,
      servedObjects: 0,
      incomingCalls: 0,
      subscriptions: 0,
    });
    remote.release();
    expect(pair.client.counts).toEqual({
      pendingCalls: 0,
      remoteObjects: 0,
      servedObjects: 0,
      incomingCalls: 0,
      subscriptions: 0,
    });
  });

  test('the same object returned twice has two numbers, and each is let go of by itself', async () => {
    const { remote } = await bench();
    const object = given();
    await callMethod(remote, 'keepObject', object);
    const [one, other] = (await Promise.all([callMethod(remote, 'keptObject'), callMethod(remote, 'keptObject')])) as [
      BusObject,
      BusObject,
    ];
    expect(one).not.toBe(other);
    expect(Buffer.compare(one.uid, other.uid)).toBe(0);
    one.release();
    expect(await callMethod(other, 'onCallback', 3)).toBe(3);
    other.release();
  });

  test.each<[string, () => PeerAgreement]>([
    ['without uid', () => ({ ...FULL_AGREEMENT, incoming: { hasUid: false }, outgoing: { hasUid: false } })],
    [
      'with a cache of metaobjects',
      () => {
        const encoding = { hasUid: true, cache: createMetaObjectCache() };
        return { ...FULL_AGREEMENT, incoming: encoding, outgoing: encoding };
      },
    ],
  ])('pass %s', async (_, agreement) => {
    const { remote } = await bench({ agreement });
    for (const value of [1, 2]) {
      const counter = (await callMethod(remote, 'makeCounter', value)) as BusObject;
      expect(await callMethod(counter, 'increment', 1)).toBe(value + 1);
      counter.release();
      expect(await callMethod(remote, 'callObject', given(), 'onCallback', value)).toBe(value);
    }
    expect(await callMethod(remote, 'liveObjects')).toBe(0);
  });
});

describe('what the other side does not understand is not sent', () => {
  test('cancelling', async () => {
    const { pair, remote } = await bench({ agreement: () => ({ ...FULL_AGREEMENT, canCancel: false }) });
    const { outcome, handle } = startCall(remote, 'slowUncancellable', 1);
    handle.cancel();
    expect(await outcome).toBe(2);
    expect(pair.sent.client.map(({ header }) => header.type)).not.toContain(MessageType.cancel);
  });

  test('flags', async () => {
    const { pair, remote, echo } = await bench({ agreement: () => ({ ...FULL_AGREEMENT, hasFlags: false }) });
    const { uid } = methodOf(remote, 'echoInt32');
    const payload = encodePayload('(i)', [1], plainObjects);
    expect((await failureOf(start(remote, { action: uid, payload: asDynamic(payload) }).outcome)).code).toBe(
      'unsupported',
    );
    expect((await failureOf(start(remote, { action: uid, payload, returnSignature: 'd' }).outcome)).code).toBe(
      'unsupported',
    );
    remote.post(methodOf(remote, 'doNothingWith').uid, asDynamic(payload));
    expect(await start(remote, { action: uid, payload }).outcome).toBe(1);
    expect(pair.sent.client.map(({ header }) => header.flags).every((flags) => flags === 0)).toBe(true);
    expect(echo.noted).toEqual([]);
  });
});

describe('bounds', () => {
  test('of calls under way: one more is refused, the others go on', async () => {
    const { remote } = await bench({ limits: { maxIncomingCalls: 3 } });
    const slow = Array.from({ length: 3 }, () => startCall(remote, 'slow', 60_000));
    expect((await failureOf(callMethod(remote, 'slow', 60_000))).code).toBe('limit-exceeded');
    for (const { handle } of slow) handle.cancel();
    for (const { outcome } of slow) expect((await failureOf(outcome)).code).toBe('canceled');
    expect(await callMethod(remote, 'echoInt32', 1)).toBe(1);
  });

  test('of registrations', async () => {
    const { remote } = await bench({ limits: { maxSubscriptions: 1 } });
    await watch(remote, 'onTick').ready;
    await failureOf(watch(remote, 'onEcho').ready);
  });

  test('of objects: what would be one too many is refused and released, and an event is dropped for that side alone', async () => {
    const { pair, remote, echo } = await bench({ limits: { maxObjects: 3 } });
    await watch(remote, 'onObject').ready;
    const heard: unknown[] = [];
    echo.object.subscribe(pair.server.counts.subscriptions === 1 ? 176 : 0, {
      event: (payload) => {
        heard.push(payload);
        for (const object of payload.objects) object.release();
      },
      gone: () => {},
    });
    await failureOf(callMethod(remote, 'makeCounters', 5));
    expect(echo.liveCounters()).toBe(0);
    const two = (await callMethod(remote, 'makeCounters', 2)) as BusObject[];
    expect(two).toHaveLength(2);
    for (let round = 0; round < 3; round += 1) await callMethod(remote, 'emitObject');
    expect(heard).toHaveLength(3);
  });
});

describe('the end of a peer', () => {
  test('fails what is pending, says that it may have run, and releases everything', async () => {
    const { pair, remote, echo } = await bench();
    const counter = (await callMethod(remote, 'makeCounter', 0)) as BusObject;
    const changed = watch(counter, 'changed');
    await changed.ready;
    const object = given();
    await callMethod(remote, 'keepObject', object);
    const { outcome } = startCall(remote, 'slow', 60_000);
    await callMethod(remote, 'doNothing');
    pair.cut();
    expect(await failureOf(outcome)).toMatchObject({ code: 'link-lost', maybeExecuted: true });
    expect((await changed.gone).code).toBe('link-lost');
    expect(counter.goneWith?.code).toBe('link-lost');
    expect(echo.liveCounters()).toBe(0);
    for (const peer of [pair.server, pair.client])
      expect(peer.counts).toEqual({
        pendingCalls: 0,
        remoteObjects: 0,
        servedObjects: 0,
        incomingCalls: 0,
        subscriptions: 0,
      });
  });

  test('after it, calls fail at once, with certainty that they did not run, and nothing is sent', async () => {
    const { pair, remote } = await bench();
    pair.cut();
    const sent = pair.sent.client.length;
    expect(await failureOf(callMethod(remote, 'doNothing'))).toMatchObject({ code: 'link-lost', maybeExecuted: false });
    const late = fetchObject(pair.client, ECHO, { clock: systemClock, timeoutMs: 10_000 });
    expect((await failureOf(late)).code).toBe('link-lost');
    await failureOf(watch(remote, 'onTick').ready);
    remote.release();
    expect(pair.sent.client).toHaveLength(sent);
  });

  test('a call that was being answered is cancelled when its caller goes', async () => {
    let isStopped = false;
    const object = createObject({
      wait: method('()', 'v', (context: { onCancel(stop: () => void): void }) => {
        context.onCancel(() => {
          isStopped = true;
        });
        return new Promise(() => {});
      }),
    });
    const pair = peerPair({ services: () => object });
    const remote = await fetchObject(pair.client, ECHO, { clock: systemClock, timeoutMs: 10_000 });
    startCall(remote, 'wait');
    await fetchObject(pair.client, 3, { clock: systemClock, timeoutMs: 10_000 });
    pair.cut();
    expect(isStopped).toBe(true);
  });
});

describe('messages that come astray', () => {
  test('answers to nothing, events of nothing and unknown types are ignored', async () => {
    const { pair, remote } = await bench();
    const astray = { id: 999, size: 4, version: 0, flags: 0, service: ECHO, object: 1, action: 177 };
    for (let type = 0; type < 12; type += 1)
      if (type !== MessageType.call) pair.client.receive({ ...astray, type }, encodeValue('(I)', [1]));
    expect(await callMethod(remote, 'echoInt32', 1)).toBe(1);
  });

  test('an answer that does not fit its signature fails the call', async () => {
    const { pair, remote } = await bench();
    const { outcome } = startCall(remote, 'dynamicObject');
    const id = pair.sent.client.at(-1)?.header.id ?? 0;
    pair.client.receive(
      { id, size: 2, version: 0, type: MessageType.reply, flags: 0, service: ECHO, object: 1, action: 145 },
      new Uint8Array([1, 2]),
    );
    expect(await failureOf(outcome)).toMatchObject({ code: 'wire-invalid', maybeExecuted: true });
  });

  test('an error that cannot be read is an error all the same', async () => {
    const { pair, remote } = await bench();
    const { outcome } = startCall(remote, 'slow', 60_000);
    const id = pair.sent.client.at(-1)?.header.id ?? 0;
    pair.client.receive(
      { id, size: 0, version: 0, type: MessageType.error, flags: 0, service: ECHO, object: 1, action: 157 },
      new Uint8Array(0),
    );
    expect((await failureOf(outcome)).code).toBe('call-failed');
  });
});

describe('a service that has to be fetched first', () => {
  test('keeps the order of the messages that wait for it', async () => {
    const echo = createEchoService();
    let deliver: (object: BusObject) => void = () => {};
    const fetched = new Promise<BusObject>((resolve) => {
      deliver = resolve;
    });
    let isThere = false;
    const pair = peerPair({ services: () => (isThere ? echo.object : fetched) });
    const known = createEchoService().object.metaObject;
    const remote = pair.client.remoteObject(ECHO, 1, { metaObject: known.bytes });
    const { uid } = methodOf(remote, 'doNothingWith');
    const post = (value: number): void => remote.post(uid, encodePayload('(i)', [value], plainObjects));
    post(1);
    const called = callMethod(remote, 'doNothingWith', 2);
    post(3);
    await Promise.resolve();
    isThere = true;
    deliver(echo.object);
    await called;
    await callMethod(remote, 'doNothing');
    expect(echo.noted).toEqual([1, 2, 3]);
  });

  test('answers with the reason when it cannot be fetched', async () => {
    const pair = peerPair({ services: () => Promise.reject(new Error('its host is away')) });
    const remote = pair.client.remoteObject(ECHO, 1, { metaObject: createEchoService().object.metaObject.bytes });
    const failures = await Promise.all([
      failureOf(callMethod(remote, 'doNothing')),
      failureOf(callMethod(remote, 'doNothing')),
    ]);
    for (const error of failures) expect(error.message).toContain('its host is away');
  });
});

test('a payload without objects is passed on as the bytes it is', async () => {
  const bytes = encodeValue('(r)', [new Uint8Array(100_000)]);
  const { pair, remote } = await bench();
  await start(remote, {
    action: methodOf(remote, 'sinkRaw').uid,
    payload: { signature: '(r)', bytes, objects: NO_OBJECTS },
  }).outcome;
  expect(pair.sent.client.at(-1)?.payload).toBe(bytes);
});
