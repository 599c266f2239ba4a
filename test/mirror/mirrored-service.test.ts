// A service of the robot as sessions see it while the robot's bus goes and comes back: on a virtual clock, without sockets.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { BusObject, EventSink, Payload } from '../../protocol/bus/bus.ts';
import { NO_OBJECTS } from '../../protocol/bus/bus.ts';
import { callObject } from '../../protocol/bus/call.ts';
import { StandardAction } from '../../protocol/bus/metaobject.ts';
import type { EmbeddedBus } from '../../protocol/directory/embedded-bus.ts';
import { createObject, type HostedObject, method, property, signal } from '../../protocol/objects/hosted-object.ts';
import { MessageType } from '../../protocol/wire/message.ts';
import { decodeValue, encodeValue } from '../../protocol/wire/value.ts';
import { type Mirror, mirrorBus } from '../../robot-agent/mirror/mirror.ts';
import { failureText } from '../support/failure-text.ts';
import { type FlakyBus, flakyBus } from '../support/flaky-bus.ts';
import { embeddedBus } from '../support/memory-session.ts';
import { settled, type VirtualClock, virtualClock } from '../support/virtual-clock.ts';

const warnings: string[] = [];
const logger = { debug: () => {}, info: () => {}, warn: (text: string) => void warnings.push(text), error: () => {} };

interface Lamp {
  readonly object: HostedObject;
  readonly calls: string[];
}

/** @param more makes it a lamp with another metaobject */
function lamp(name: string, more = false): Lamp {
  const calls: string[] = [];
  const object: HostedObject = createObject({
    whoami: method('()', 's', () => {
      calls.push('whoami');
      return name;
    }),
    never: method('()', 'v', () => new Promise(() => {})),
    bulb: method('()', 'o', () => createObject({ whoami: method('()', 's', () => `bulb of ${name}`) })),
    blinked: signal('(i)'),
    level: property('i', 0),
    ...(more ? { another: method('()', 'v', () => {}) } : {}),
  });
  return { object, calls };
}

function actionOf(object: BusObject, name: string): number {
  for (const members of [object.metaObject.methods, object.metaObject.signals, object.metaObject.properties])
    for (const { uid, name: own } of members.values()) if (own === name) return uid;
  throw new Error(`no ${name}`);
}

let clock: VirtualClock;
let outer: EmbeddedBus;
let inner: FlakyBus;
let mirror: Mirror;
const announced: string[] = [];

beforeEach(() => {
  clock = virtualClock();
  outer = embeddedBus();
  inner = flakyBus(clock);
  mirror = mirrorBus({ outer, inner, logger, clock });
  warnings.length = 0;
  announced.length = 0;
  outer.listen({
    serviceAdded: ({ name, serviceId }) => announced.push(`+${name} ${serviceId}`),
    serviceRemoved: ({ name, serviceId }) => announced.push(`-${name} ${serviceId}`),
  });
});
afterEach(() => mirror.close());

/** A robot with these services, reached. */
async function up(services: Readonly<Record<string, BusObject>>): Promise<EmbeddedBus> {
  const robot = embeddedBus();
  for (const [name, object] of Object.entries(services)) await robot.host(name, object);
  await inner.comeUp(robot);
  await settled();
  return robot;
}

async function ask(object: BusObject, name: string): Promise<unknown> {
  const payload: Payload = { signature: '()', bytes: encodeValue('()', []), objects: NO_OBJECTS };
  const answer = await callObject(object, { action: actionOf(object, name), payload }, { clock, timeoutMs: 1e9 });
  return answer.signature === 'o' ? answer.objects[0] : decodeValue(answer.signature, answer.bytes);
}

function listener(): { readonly sink: EventSink; readonly heard: unknown[] } {
  const heard: unknown[] = [];
  const sink: EventSink = {
    event: ({ signature, bytes }) => heard.push(...(decodeValue(signature, bytes) as unknown[])),
    gap: (missed) => heard.push(missed === undefined ? 'gap' : `gap ${missed}`),
    gone: (error) => heard.push(error.code),
  };
  return { sink, heard };
}

describe('while the robot’s bus is down', () => {
  test('a service keeps its name and its id, and the object behind the id is the new one afterwards', async () => {
    const [first, second] = [lamp('first'), lamp('second')];
    await up({ Lamp: first.object });
    const { serviceId } = await outer.serviceInfo('Lamp');
    const object = await outer.service('Lamp');
    expect(await ask(object, 'whoami')).toBe('first');
    inner.goDown();
    expect(mirror.state).toBe('down');
    expect((await outer.services()).map(({ name }) => name)).toContain('Lamp');
    expect(await failureText(outer.host('Lamp', lamp('thief').object))).toBe('service-name-taken');
    await up({ Lamp: second.object });
    expect(mirror.state).toBe('up');
    expect(await ask(object, 'whoami')).toBe('second');
    expect((await outer.serviceInfo('Lamp')).serviceId).toBe(serviceId);
    expect(announced).toEqual([`+Lamp ${serviceId}`]);
  });

  test('calls and properties fail at once and have not run; those cut off may have', async () => {
    await up({ Lamp: lamp('first').object });
    const object = await outer.service('Lamp');
    const cut = failureText(ask(object, 'never'));
    await settled();
    inner.goDown();
    expect(await cut).toBe('bus-down maybe');
    expect(await failureText(ask(object, 'whoami'))).toBe('bus-down');
    await expect(ask(object, 'whoami')).rejects.toThrow('calls work again when it is back');
    const payload: Payload = { signature: '(m)', bytes: new Uint8Array(0), objects: NO_OBJECTS };
    const read = callObject(object, { action: StandardAction.property, payload }, { clock, timeoutMs: 1000 });
    expect(await failureText(read)).toBe('bus-down');
    object.post(actionOf(object, 'never'), { ...payload, signature: '()' });
  });

  test('a service that nobody asked for yet, and one that was never seen, are not there because the bus is down', async () => {
    expect(await failureText(outer.service('Lamp'))).toBe('bus-down');
    await up({ Lamp: lamp('first').object });
    inner.goDown();
    expect(await failureText(outer.service('Lamp'))).toBe('bus-down');
    expect(await failureText(outer.service('Nobody'))).toBe('bus-down');
    await up({ Lamp: lamp('second').object });
    expect(await ask(await outer.service('Lamp'), 'whoami')).toBe('second');
    expect(await failureText(outer.service('Nobody'))).toBe('service-not-found');
  });

  test('an object that a service handed out is gone for good', async () => {
    await up({ Lamp: lamp('first').object });
    const bulb = (await ask(await outer.service('Lamp'), 'bulb')) as BusObject;
    expect(await ask(bulb, 'whoami')).toBe('bulb of first');
    inner.goDown();
    expect(await failureText(ask(bulb, 'whoami'))).toBe('object-gone');
    await up({ Lamp: lamp('second').object });
    expect(await failureText(ask(bulb, 'whoami'))).toBe('object-gone');
  });
});

describe('what comes back', () => {
  test('with another metaobject is another service', async () => {
    await up({ Lamp: lamp('first').object });
    const before = await outer.serviceInfo('Lamp');
    const object = await outer.service('Lamp');
    const { sink, heard } = listener();
    await object.subscribe(actionOf(object, 'blinked'), sink).ready;
    inner.goDown();
    await up({ Lamp: lamp('second', true).object });
    const after = await outer.serviceInfo('Lamp');
    expect(after.serviceId).not.toBe(before.serviceId);
    expect(announced).toEqual([`+Lamp ${before.serviceId}`, `-Lamp ${before.serviceId}`, `+Lamp ${after.serviceId}`]);
    expect(await failureText(ask(object, 'whoami'))).toBe('service-gone');
    expect(object.goneWith?.code).toBe('service-gone');
    expect(heard).toEqual(['service-gone']);
    expect(await ask(await outer.service('Lamp'), 'whoami')).toBe('second');
  });

  test('late is taken for the same within two minutes of the bus, and is gone after', async () => {
    await up({ Lamp: lamp('first').object, Late: lamp('late').object });
    const [object, late] = [await outer.service('Lamp'), await outer.service('Late')];
    const ids = announced.slice();
    inner.goDown();
    // However long the bus itself is away.
    await clock.advance(3_600_000);
    const robot = await up({});
    await clock.advance(119_000);
    expect(await failureText(ask(object, 'whoami'))).toBe('bus-down');
    await robot.host('Lamp', lamp('second').object);
    await settled();
    expect(await ask(object, 'whoami')).toBe('second');
    expect(announced).toEqual(ids);
    await clock.advance(1000);
    expect(await failureText(ask(late, 'whoami'))).toBe('service-gone');
    expect(announced.slice(2)).toEqual([expect.stringMatching(/^-Late/)]);
    await robot.host('Late', lamp('another').object);
    await settled();
    expect(await failureText(ask(late, 'whoami'))).toBe('service-gone');
    expect(await ask(await outer.service('Late'), 'whoami')).toBe('another');
  });

  test('under another id is another service, also when the news of it are slower than the answer', async () => {
    await up({ Lamp: lamp('first').object });
    const object = await outer.service('Lamp');
    const [info, before] = [await inner.serviceInfo('Lamp'), await outer.serviceInfo('Lamp')];
    await inner.loseHost('Lamp');
    expect(await failureText(ask(object, 'whoami'))).toBe('service-gone');
    inner.serviceInfo = async () => ({ ...info, serviceId: info.serviceId + 1 });
    await clock.advance(500);
    const after = await outer.serviceInfo('Lamp');
    expect(announced).toEqual([`+Lamp ${before.serviceId}`, `-Lamp ${before.serviceId}`, `+Lamp ${after.serviceId}`]);
    expect(object.goneWith?.code).toBe('service-gone');
    expect(await ask(await outer.service('Lamp'), 'whoami')).toBe('first');
  });

  test('leaves a bus that is up at once, and is a new one when it registers again', async () => {
    const robot = embeddedBus();
    const hosted = await robot.host('Lamp', lamp('first').object);
    await inner.comeUp(robot);
    await settled();
    const object = await outer.service('Lamp');
    const cut = failureText(ask(object, 'never'));
    await hosted.close();
    await robot.host('Lamp', lamp('second').object);
    await settled();
    expect(await cut).toBe('service-gone maybe');
    expect(await failureText(ask(object, 'whoami'))).toBe('service-gone');
    expect(await ask(await outer.service('Lamp'), 'whoami')).toBe('second');
  });

  test('again and again goes on', async () => {
    await up({ Lamp: lamp('0').object });
    const object = await outer.service('Lamp');
    const { sink, heard } = listener();
    await object.subscribe(actionOf(object, 'blinked'), sink).ready;
    for (let time = 1; time <= 20; time += 1) {
      inner.goDown();
      const { object: next } = lamp(String(time));
      await up({ Lamp: next });
      expect(await ask(object, 'whoami')).toBe(String(time));
      next.emit('blinked', time);
      await settled();
      expect(heard.splice(0)).toEqual(['gap', time]);
    }
    expect(inner.pair?.client.counts.remoteObjects).toBe(2);
  });
});

describe('the host of a service that is lost before the directory says so', () => {
  test('is told as such, and reached again if the service stays registered', async () => {
    const first = lamp('first');
    await up({ Lamp: first.object });
    const object = await outer.service('Lamp');
    const { sink, heard } = listener();
    await object.subscribe(actionOf(object, 'blinked'), sink).ready;
    const cut = failureText(ask(object, 'never'));
    await settled();
    await inner.loseHost('Lamp');
    expect(await cut).toBe('service-gone maybe');
    expect(await failureText(ask(object, 'whoami'))).toBe('service-gone');
    expect(mirror.state).toBe('up');
    await clock.advance(500);
    expect(await ask(object, 'whoami')).toBe('first');
    first.object.emit('blinked', 1);
    await settled();
    expect(heard).toEqual(['gap', 1]);
  });

  test('and then is taken off the bus leaves as every service does', async () => {
    const robot = embeddedBus();
    const hosted = await robot.host('Lamp', lamp('first').object);
    await inner.comeUp(robot);
    await settled();
    const object = await outer.service('Lamp');
    await inner.loseHost('Lamp');
    await hosted.close();
    await robot.host('Lamp', lamp('second').object);
    await clock.advance(10_000);
    expect(object.goneWith?.code).toBe('service-gone');
    expect(await ask(await outer.service('Lamp'), 'whoami')).toBe('second');
  });
});

describe('subscriptions', () => {
  test('are made again, once inside for all outside; each is told of a gap, then of every event once', async () => {
    await up({ Lamp: lamp('first').object });
    const object = await outer.service('Lamp');
    const listeners = Array.from({ length: 5 }, listener);
    const blinked = actionOf(object, 'blinked');
    const subscriptions = listeners.map(({ sink }) => object.subscribe(blinked, sink));
    await Promise.all(subscriptions.map(({ ready }) => ready));
    await subscriptions[0]?.close();
    inner.goDown();
    await subscriptions[1]?.close();
    const second = lamp('second');
    await up({ Lamp: second.object });
    for (let each = 0; each < 3; each += 1) second.object.emit('blinked', each);
    await settled();
    expect(listeners.map(({ heard }) => heard)).toEqual([[], [], ['gap', 0, 1, 2], ['gap', 0, 1, 2], ['gap', 0, 1, 2]]);
    const registrations = inner.pair?.sent.client.filter(
      ({ header }) =>
        header.type === MessageType.call && header.action === StandardAction.registerEvent && header.service !== 1,
    );
    expect(registrations).toHaveLength(1);
  });

  test('asked for while the service is away are confirmed when it is back, without a gap', async () => {
    await up({ Lamp: lamp('first').object });
    const object = await outer.service('Lamp');
    inner.goDown();
    const { sink, heard } = listener();
    const subscription = object.subscribe(actionOf(object, 'blinked'), sink);
    await clock.advance(19_000);
    const second = lamp('second');
    await up({ Lamp: second.object });
    await subscription.ready;
    second.object.emit('blinked', 1);
    await settled();
    expect(heard).toEqual([1]);
  });

  test('that are not confirmed within 20 s fail, and those closed meanwhile settle too', async () => {
    await up({ Lamp: lamp('first').object });
    const object = await outer.service('Lamp');
    inner.goDown();
    const { sink, heard } = listener();
    const late = object.subscribe(actionOf(object, 'blinked'), sink);
    const closed = object.subscribe(actionOf(object, 'blinked'), sink);
    await closed.close();
    expect(await failureText(closed.ready)).toBe('canceled');
    await clock.advance(20_000);
    expect(await failureText(late.ready)).toBe('bus-down');
    const second = lamp('second');
    await up({ Lamp: second.object });
    second.object.emit('blinked', 1);
    await settled();
    expect(heard).toEqual([]);
  });
});

describe('the other way', () => {
  test('a name that is taken inside is asked for again with growing pauses, told once, and had when it is free', async () => {
    inner.goDown();
    const page = await outer.host('Lamp', lamp('page').object);
    const robot = embeddedBus();
    const taken = await robot.host('Lamp', lamp('robot').object);
    await inner.comeUp(robot);
    await settled();
    const attempts = (): number =>
      inner.pair?.sent.client.filter(({ header }) => header.service === 1 && header.action === 102).length ?? 0;
    expect(attempts()).toBe(1);
    await clock.advance(60_000);
    expect(attempts()).toBeLessThan(8);
    expect(warnings).toHaveLength(1);
    expect(await ask(await outer.service('Lamp'), 'whoami')).toBe('page');
    await taken.close();
    await settled();
    expect(await ask(await robot.service('Lamp'), 'whoami')).toBe('page');
    await page.close();
    await settled();
    expect((await robot.services()).map(({ name }) => name)).toEqual(['ServiceDirectory']);
  });

  test('what the robot has under a name taken outside is shown when that is free', async () => {
    inner.goDown();
    const page = await outer.host('Lamp', lamp('page').object);
    await up({ Lamp: lamp('robot').object });
    await page.close();
    await settled();
    expect(await ask(await outer.service('Lamp'), 'whoami')).toBe('robot');
  });
});
