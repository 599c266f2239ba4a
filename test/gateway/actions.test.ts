// Everything an action can do, through the gateway: cancelling, posts, conversions by the callee, statistics, tracing,
// overloads, arguments of every kind.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Bus, type BusObject, NO_OBJECTS } from '../../protocol/bus/bus.ts';
import { StandardAction } from '../../protocol/bus/metaobject.ts';
import { asDynamic, encodePayload, plainObjects } from '../../protocol/objects/values.ts';
import { MessageType } from '../../protocol/wire/message.ts';
import { decodeValue, encodeValue } from '../../protocol/wire/value.ts';
import {
  type CallContext,
  createObject,
  Dynamic,
  type HostedObject,
  method,
  OWN_CAPABILITIES,
  property,
  QiwayError,
  signal,
} from '../../robot-agent/qi/index.ts';
import {
  Collected,
  callMethod,
  failureOf,
  getProperty,
  methodOf,
  setProperty,
  signalOf,
  start,
  startCall,
  watch,
} from '../contract/calls.ts';
import { seen, serviceSeen } from '../contract/contract-state.ts';
import { createEchoService, type EchoService } from '../support/echo-service.ts';
import { type Gateway, openGateway } from './gateway.ts';
import { errorOf, type RawSession, rawSession, replyOf } from './raw-session.ts';
import { WAYS } from './ways.ts';

let gateway: Gateway;
beforeEach(async () => {
  gateway = await openGateway();
});
afterEach(() => gateway.close());

function ask(object: BusObject, action: number, signature = '()', args: unknown = []): Promise<unknown> {
  return start(object, { action, payload: encodePayload(signature, args, plainObjects) }).outcome;
}

interface Trace {
  readonly kind: number;
  readonly slotId: number;
}

interface Actor {
  readonly object: HostedObject;
  readonly log: Collected<string>;
}

function createActor(): Actor {
  const log = new Collected<string>();
  const object: HostedObject = createObject({
    endless: method('()', 'v', (context: CallContext) => {
      log.add('began');
      return new Promise((_, reject) =>
        context.onCancel(() => {
          log.add('asked to stop');
          reject(new QiwayError('canceled', 'Stopped.'));
        }),
      );
    }),
    stubborn: method('()', 'i', (context: CallContext) => {
      log.add('began');
      return new Promise((resolve) => context.onCancel(() => resolve(7)));
    }),
    note: method('(s)', 'v', (text: string) => log.add(text)),
    noted: signal('(s)'),
    percent: property('i', 10, {
      set: (value: number) => {
        if (value > 100) throw new Error('percent goes to 100');
        return value;
      },
    }),
    half: property('f', 0.5),
  });
  return { object, log };
}

describe.each(WAYS)('between $name', ({ client, host }) => {
  let echo: EchoService;
  let actor: Actor;
  let remote: BusObject;
  let acting: BusObject;
  beforeEach(async () => {
    echo = createEchoService();
    actor = createActor();
    const hostBus = await host(gateway);
    await hostBus.host('Echo', echo.object);
    await hostBus.host('Actor', actor.object);
    const bus = await client(gateway);
    remote = await serviceSeen(bus, 'Echo');
    acting = await serviceSeen(bus, 'Actor');
  });

  test('cancelling reaches the callee, which ends the call as it likes', async () => {
    const endless = startCall(acting, 'endless');
    await actor.log.count(1);
    endless.handle.cancel();
    expect((await failureOf(endless.outcome)).code).toBe('canceled');
    expect(actor.log.all).toEqual(['began', 'asked to stop']);
    const stubborn = startCall(acting, 'stubborn');
    await actor.log.count(3);
    stubborn.handle.cancel();
    expect(await stubborn.outcome).toBe(7);
  });

  test('a post runs a method, emits a signal, and is silent when it fails', async () => {
    const heard = watch(acting, 'noted');
    await heard.ready;
    acting.post(methodOf(acting, 'note').uid, encodePayload('(s)', ['posted'], plainObjects));
    acting.post(methodOf(acting, 'note').uid, asDynamic(encodePayload('(s)', ['as a dynamic'], plainObjects)));
    acting.post(9999, encodePayload('()', [], plainObjects));
    acting.post(signalOf(acting, 'noted'), encodePayload('(s)', ['emitted'], plainObjects));
    acting.post(signalOf(acting, 'noted'), asDynamic(encodePayload('(s)', ['emitted too'], plainObjects)));
    expect(await heard.events.count(2)).toEqual([['emitted'], ['emitted too']]);
    expect(actor.log.all).toEqual(['posted', 'as a dynamic']);
    // A property is set by its setter alone.
    acting.post(signalOf(acting, 'percent'), encodePayload('(i)', [99], plainObjects));
    expect(await getProperty(acting, 'percent')).toBe(10);
  });

  test('a setter refuses in its own words, and values are converted to the type of the property', async () => {
    expect((await failureOf(setProperty(acting, 'percent', new Dynamic('i', 101)))).message).toContain(
      'percent goes to 100',
    );
    expect(await getProperty(acting, 'percent')).toBe(10);
    await setProperty(acting, 'percent', new Dynamic('d', 55.9));
    expect(await getProperty(acting, 'percent')).toBe(55);
    await setProperty(acting, 'half', new Dynamic('C', 2));
    expect(await getProperty(acting, 'half')).toBe(2);
    for (const unfit of [new Dynamic('s', '5'), new Dynamic('[i]', [5]), new Dynamic('L', 2n ** 60n)])
      expect((await failureOf(setProperty(acting, 'percent', unfit))).message).toContain('setProperty: Conversion');
    expect((await failureOf(setProperty(acting, 'nope', new Dynamic('i', 1)))).message).toContain('was not found');
    expect(await ask(acting, StandardAction.properties)).toEqual(['percent', 'half']);
    const byId = encodePayload('(m)', [new Dynamic('I', signalOf(acting, 'percent'))], plainObjects);
    expect(await start(acting, { action: StandardAction.property, payload: byId }).outcome).toBe(55);
  });

  test('the callee converts arguments (flag 1), the result (flag 2), and both (flag 3)', async () => {
    const { uid: action } = methodOf(remote, 'echoInt32');
    const plain = encodePayload('(i)', [7], plainObjects);
    const dynamic = (): ReturnType<typeof asDynamic> => asDynamic(encodePayload('(d)', [7.5], plainObjects));
    expect(await start(remote, { action, payload: dynamic() }).outcome).toBe(7);
    expect(await start(remote, { action, payload: plain, returnSignature: 'd' }).outcome).toBe(7);
    expect(await start(remote, { action, payload: dynamic(), returnSignature: 'L' }).outcome).toBe(7);
    const refused = start(remote, { action, payload: plain, returnSignature: '[s]' }).outcome;
    expect((await failureOf(refused)).message).toContain('will not be able to convert return type from i to [s]');
    const unfit = asDynamic(encodePayload('(s)', ['x'], plainObjects));
    expect((await failureOf(start(remote, { action, payload: unfit, returnSignature: 'd' }).outcome)).code).toBe(
      'call-failed',
    );
  });

  test('statistics are switched on, counted, read and cleared', async () => {
    expect(await ask(remote, 80)).toBe(false);
    await ask(remote, 81, '(b)', [true]);
    expect(await ask(remote, 80)).toBe(true);
    await callMethod(remote, 'echoInt32', 1);
    await callMethod(remote, 'echoInt32', 2);
    await failureOf(callMethod(remote, 'fail', 'no'));
    const stats = (await ask(remote, 82)) as ReadonlyMap<number, { readonly count: number }>;
    expect(stats.get(methodOf(remote, 'echoInt32').uid)?.count).toBe(2);
    expect(stats.get(methodOf(remote, 'fail').uid)?.count).toBe(1);
    await ask(remote, 83);
    const cleared = (await ask(remote, 82)) as ReadonlyMap<number, unknown>;
    expect(cleared.get(methodOf(remote, 'echoInt32').uid)).toBeUndefined();
  });

  test('traced calls are told to those who listen, with their arguments and results', async () => {
    const traces = watch(remote, 86);
    await traces.ready;
    await ask(remote, 85, '(b)', [true]);
    expect(await ask(remote, 84)).toBe(true);
    await callMethod(remote, 'echoInt32', 4);
    const { uid } = methodOf(remote, 'echoInt32');
    // The standard methods of the object are traced too.
    const kinds = (events: readonly unknown[]): number[] =>
      (events as readonly [Trace][]).filter(([{ slotId }]) => slotId === uid).map(([{ kind }]) => kind);
    expect(kinds(await traces.events.until((events) => kinds(events).length >= 2))).toEqual([1, 2]);
    await ask(remote, 85, '(b)', [false]);
    await callMethod(remote, 'echoInt32', 5);
    expect(kinds(traces.events.all)).toEqual([1, 2]);
  });

  test('variable, any and optional arguments', async () => {
    expect(await callMethod(remote, 'sumVarArgs', [1, 2, 3])).toBe(6);
    expect(await callMethod(remote, 'sumVarArgs', [])).toBe(0);
    const loose = asDynamic(encodePayload('(isd)', [1, 'b', 3], plainObjects));
    expect(await start(remote, { action: methodOf(remote, 'countArguments').uid, payload: loose }).outcome).toBe(3);
    expect(await callMethod(remote, 'echoOptionalInt', 3)).toBe(3);
    expect(await callMethod(remote, 'echoOptionalInt', null)).toBeNull();
    expect(await callMethod(remote, 'echoOptionalString', 'set')).toBe('set');
    const empty = { signature: '()', bytes: new Uint8Array(0), objects: NO_OBJECTS };
    expect(await start(remote, { action: methodOf(remote, 'doNothing').uid, payload: empty }).outcome).toBeUndefined();
  });
});

test('a page chooses among the overloads of a service of the robot by the rules of libqi', async () => {
  await (await gateway.inside()).host('Echo', createEchoService().object);
  await seen(await gateway.session(), 'Echo');
  const page = await gateway.page<{ Echo: { over(...args: unknown[]): string; overDyn(value: unknown): string } }>();
  const echo = await page.service('Echo');
  expect(await echo.over(1)).toBe('int');
  expect(await echo.over('x')).toBe('string');
  expect(await echo.over(1.5, 2.5)).toBe('double,double');
  expect(await echo.over([1, 2])).toBe('[int]');
  expect(await echo.over({ a: 1 })).toBe('{string:int}');
  expect(await echo.over()).toBe('none');
  expect(await echo.overDyn('text')).toBe('dynamic');
  await expect(echo.over(1, 2, 3)).rejects.toMatchObject({ code: 'argument-mismatch' });
});

describe('where a capability is missing', () => {
  const without = (name: keyof typeof OWN_CAPABILITIES) => ({ capabilities: { ...OWN_CAPABILITIES, [name]: false } });

  test.each([
    [
      'callee',
      (): Promise<Bus> => gateway.outside(),
      (): Promise<Bus> => gateway.inside(without('RemoteCancelableCalls')),
    ],
    [
      'caller',
      (): Promise<Bus> => gateway.outside(without('RemoteCancelableCalls')),
      (): Promise<Bus> => gateway.inside(),
    ],
  ])('a call whose %s does not know how to cancel runs to its end', async (_who, client, host) => {
    const released = new Collected<() => void>();
    const object = createObject({
      wait: method('()', 'i', () => new Promise((resolve) => released.add(() => resolve(3)))),
    });
    await (await host()).host('Patient', object);
    const { outcome, handle } = startCall(await serviceSeen(await client(), 'Patient'), 'wait');
    const [release] = await released.count(1);
    handle.cancel();
    release?.();
    expect(await outcome).toBe(3);
  });

  test('a call that is cancelled on behalf of a caller who never heard of it ends with an error in words', async () => {
    const actor = createActor();
    await (await gateway.inside()).host('Actor', actor.object);
    await seen(await gateway.outside(), 'Actor');
    const raw = await rawSession(gateway.qiUrl);
    const service = gateway.agent.bus.registry.byName('Actor')?.info.serviceId ?? 0;
    const answer = raw.call({ service, object: 1, action: methodOf(actor.object, 'endless').uid });
    await actor.log.count(1);
    // The first call after the authentication has id 3.
    raw.send({ id: 900, type: MessageType.cancel, service, object: 1, action: 0 }, encodeValue('(I)', [3]));
    expect(errorOf(await answer)).toContain('Call has been canceled.');
    await raw.close();
  });
});

describe('events in a signature of the subscriber’s own (registerEventWithSignature)', () => {
  let raw: RawSession;
  let object: HostedObject;
  let service: number;
  beforeEach(async () => {
    object = createObject({ moved: signal('(if)') });
    await (await gateway.inside()).host('Mover', object);
    await seen(await gateway.outside(), 'Mover');
    raw = await rawSession(gateway.qiUrl, { MessageFlags: true });
    service = gateway.agent.bus.registry.byName('Mover')?.info.serviceId ?? 0;
  });
  afterEach(() => raw.close());

  test.each([
    ['(ds)', 0, '(if)', [3, 0.5]],
    ['(dd)', 1, 'm', [3, 0.5]],
    ['(mm)', 1, 'm', [3, 0.5]],
    ['(Li)', 1, 'm', [3, 0]],
  ])('%s: flag %i', async (wanted, flags, signature, value) => {
    const moved = signalOf(object, 'moved');
    const registration = encodeValue('(IILs)', [service, moved, 5n, wanted]);
    replyOf(await raw.call({ service, object: 1, action: 8 }, registration), 'L');
    object.emit('moved', 3, 0.5);
    const event = await raw.take(({ header }) => header.type === MessageType.event);
    expect(event.header).toMatchObject({ flags, action: moved, service, object: 1 });
    const got = decodeValue(signature, event.payload, { dynamics: 'unwrapped' }) as unknown[];
    expect(got.map(Number)).toEqual(value);
  });
});
