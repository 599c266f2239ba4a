// The offline queue of one tab: what waits, in which order it is made, that each call is made once, what is told.
import { beforeEach, expect, test } from 'vitest';
import type { LooseMembers, RemoteObject } from '../../protocol/objects/remote-types.ts';
import { latest, queue } from '../../sdk/offline/policy.ts';
import { clock, memoryStore, openTab, outcomeOf, quiet, Robot, type Tab, until } from './queue-lab.ts';

const later = { offline: queue({ ttlMs: 60_000 }) };

let robot: Robot;
let tab: Tab;
let voice: RemoteObject<LooseMembers>;
let lamp: RemoteObject<LooseMembers>;

beforeEach(async () => {
  robot = new Robot();
  await robot.offer('Voice');
  await robot.offer('Lamp');
  tab = openTab(robot);
  voice = await tab.service('Voice');
  lamp = await tab.service('Lamp');
});

test('while the robot is there a call is made at once, once, and answered', async () => {
  await expect(voice['say']?.with(later)('a')).resolves.toBe('a');
  await expect(lamp['set']?.with(later)('b')).resolves.toBe('b');
  await expect(lamp['many']?.with(later)(['c', 7])).resolves.toEqual(['c', 7]);
  expect(robot.ran).toEqual(['Voice.say(a)', 'Lamp.set(b)', 'Lamp.many(c,7)']);
  expect(tab.queue.length).toBe(0);
  expect(tab.told.slice(0, 3)).toEqual(['queued Voice.say', 'sending Voice.say', 'done Voice.say']);
  expect(tab.changes.map(({ result }) => result).filter((result) => result !== undefined)).toEqual([
    'a',
    'b',
    ['c', 7],
  ]);
});

test('while it is away calls wait, and are made in the order of each service when it is back', async () => {
  tab.line.cut();
  const outcomes = ['1', '2', '3'].map((text) => outcomeOf(voice['say']!.with(later)(text)));
  outcomes.push(outcomeOf(lamp['set']!.with(later)('x')), outcomeOf(lamp['say']!.with(later)('y')));
  await quiet();
  expect([outcomes.map(({ value }) => value), robot.ran]).toEqual([Array(5).fill(undefined), []]);
  expect(
    tab.queue.list().map(({ service, method, class: kind, args, state }) => [service, method, kind, args, state]),
  ).toEqual([
    ['Voice', 'say::(s)', 'once', '"1"', 'waiting'],
    ['Voice', 'say::(s)', 'once', '"2"', 'waiting'],
    ['Voice', 'say::(s)', 'once', '"3"', 'waiting'],
    ['Lamp', 'set::(s)', 'idempotent', '"x"', 'waiting'],
    ['Lamp', 'say::(s)', 'once', '"y"', 'waiting'],
  ]);
  tab.line.mend();
  await until(() => tab.queue.length === 0);
  await quiet();
  expect(outcomes.map(({ value }) => value)).toEqual(['1', '2', '3', 'x', 'y']);
  const of = (service: string): string[] => robot.ran.filter((each) => each.startsWith(service));
  expect(of('Voice')).toEqual(['Voice.say(1)', 'Voice.say(2)', 'Voice.say(3)']);
  expect(of('Lamp')).toEqual(['Lamp.set(x)', 'Lamp.say(y)']);
});

test('a service that takes its time holds up its own calls, and no others', async () => {
  tab.line.cut();
  const said = ['1', '2'].map((text) => outcomeOf(voice['say']!.with(later)(text)));
  const open = robot.hold();
  tab.line.mend();
  await until(() => robot.ran.length === 1);
  const set = outcomeOf(lamp['set']!.with(later)('x'));
  await until(() => robot.ran.includes('Lamp.set(x)'));
  await quiet();
  expect([said, set, robot.ran]).toEqual([[{}, {}], {}, ['Voice.say(1)', 'Lamp.set(x)']]);
  open();
  await until(() => tab.queue.length === 0);
  expect(robot.ran).toEqual(['Voice.say(1)', 'Lamp.set(x)', 'Voice.say(2)']);
});

test('a call that was under way when the link broke is answered afterwards, and ran once', async () => {
  const open = robot.hold();
  const outcome = outcomeOf(voice['say']!.with(later)('a'));
  const second = outcomeOf(voice['other']!.with(later)('b'));
  await until(() => robot.ran.length === 1);
  for (let round = 0; round < 3; round += 1) {
    tab.line.cut();
    await quiet();
    tab.line.mend();
    await quiet();
  }
  expect([outcome, second, robot.ran]).toEqual([{}, {}, ['Voice.say(a)']]);
  open();
  await until(() => tab.queue.length === 0);
  expect([outcome.value, second.value, robot.ran]).toEqual(['a', 'b', ['Voice.say(a)', 'Voice.other(b)']]);
});

test('an agent that has lost its journal is not asked again for what it may have done', async () => {
  robot.hold();
  const sent = outcomeOf(voice['say']!.with(later)('a'));
  await until(() => robot.ran.length === 1);
  const waiting = outcomeOf(voice['say']!.with(later)('b'));
  tab.line.cut();
  robot.forget();
  robot.hold()();
  tab.line.mend();
  await until(() => tab.queue.length === 0);
  await quiet();
  expect([sent.value, waiting.value, robot.ran]).toEqual(['interrupted maybe', 'b', ['Voice.say(a)', 'Voice.say(b)']]);
});

test('an idempotent call is simply made again', async () => {
  robot.hold();
  const outcome = outcomeOf(lamp['set']!.with(later)('a'));
  await until(() => robot.ran.length === 1);
  tab.line.cut();
  robot.forget();
  robot.hold()();
  tab.line.mend();
  await until(() => outcome.value !== undefined);
  expect([outcome.value, robot.ran]).toEqual(['a', ['Lamp.set(a)', 'Lamp.set(a)']]);
});

test('what moves the robot is refused, whether it is there or away', async () => {
  await expect(voice['walk']?.with(later)('a')).rejects.toMatchObject({ code: 'forbidden' });
  tab.line.cut();
  await expect(voice['walk']?.with(later)('a')).rejects.toMatchObject({ code: 'forbidden' });
  expect([tab.queue.length, tab.line.sent]).toEqual([0, 0]);
});

test('a call that fails on the robot settles its entry, and the next goes on', async () => {
  robot.failWith = new Error('no voice');
  const failed = voice['say']!.with(later)('a');
  await expect(failed).rejects.toMatchObject({ code: 'call-failed', data: { text: 'no voice' } });
  robot.failWith = undefined;
  await expect(voice['say']?.with(later)('b')).resolves.toBe('b');
  expect(tab.changes.find(({ kind }) => kind === 'failed')).toMatchObject({ error: { code: 'call-failed' } });
});

test('the bus that is not up although the robot says so is tried twice a second', async () => {
  const found = robot.bus.registry.list().find(({ name }) => name === 'Lamp');
  const { QiwayError } = await import('../../protocol/errors.ts');
  robot.bus.explainMissing(() => new QiwayError('bus-down', 'No bus.'));
  robot.bus.registry.unregister(found?.serviceId ?? 0);
  const outcomes = [outcomeOf(lamp['set']!.with(later)('a')), outcomeOf(lamp['say']!.with(later)('b'))];
  await quiet();
  const { sent } = tab.line;
  await clock.advance(500);
  await quiet();
  expect(outcomes).toEqual([{}, {}]);
  await robot.offer('Lamp');
  for (let round = 0; round < 4; round += 1) {
    await clock.advance(500);
    await quiet();
  }
  expect(outcomes.map(({ value }) => value)).toEqual(['a', 'b']);
  expect(tab.line.sent).toBeGreaterThan(sent);
});

test('a service that is not back yet is waited for; one that stays away is told', async () => {
  const found = robot.bus.registry.list().find(({ name }) => name === 'Lamp');
  tab.line.cut();
  const outcomes = [
    outcomeOf(lamp['set']!.with({ offline: queue({ ttlMs: 600_000 }) })('a')),
    outcomeOf(lamp['say']!.with({ offline: queue({ ttlMs: 600_000 }) })('b')),
  ];
  await quiet();
  robot.bus.registry.unregister(found?.serviceId ?? 0);
  tab.line.mend();
  await clock.advance(2_000);
  await quiet();
  expect(outcomes).toEqual([{}, {}]);
  await robot.offer('Lamp');
  for (let round = 0; round < 4; round += 1) {
    await clock.advance(500);
    await quiet();
  }
  expect(outcomes.map(({ value }) => value)).toEqual(['a', 'b']);
  tab.line.cut();
  const never = outcomeOf(lamp['say']!.with({ offline: queue({ ttlMs: 600_000 }) })('c'));
  await quiet();
  robot.bus.registry.unregister(robot.bus.registry.list().find(({ name }) => name === 'Lamp')?.serviceId ?? 0);
  tab.line.mend();
  for (let round = 0; round < 250 && never.value === undefined; round += 1) {
    await clock.advance(500);
    await quiet();
  }
  expect(never.value).toBe('service-not-found');
});

test('a call that waited too long rejects with its time; one that may have run says so', async () => {
  tab.line.cut();
  const short = voice['say']!.with({ offline: queue({ ttlMs: 1000 }) })('a');
  const refused = expect(short).rejects.toMatchObject({ code: 'expired', data: { ttlMs: 1000 }, maybeExecuted: false });
  const long = outcomeOf(voice['say']!.with({ offline: queue({ ttlMs: 90_000 }) })('b'));
  await quiet();
  await clock.advance(999);
  expect(tab.queue.length).toBe(2);
  await clock.advance(1);
  await refused;
  expect(tab.told.at(-1)).toBe('expired Voice.say');
  tab.line.mend();
  await until(() => long.value !== undefined);
  const open = robot.hold();
  const sent = outcomeOf(voice['say']!.with(later)('c'));
  await until(() => robot.ran.length === 2);
  tab.line.cut();
  await quiet();
  await clock.advance(60_000);
  expect([long.value, sent.value]).toEqual(['b', 'expired maybe']);
  open();
});

test('the same key twice is one entry with one outcome; another method or key is another', async () => {
  tab.line.cut();
  const keyed = { offline: queue({ ttlMs: 60_000, key: 'k' }) };
  const outcomes = [
    outcomeOf(voice['say']!.with(keyed)('a')),
    outcomeOf(voice['say']!.with(keyed)('b')),
    outcomeOf(voice['other']!.with(keyed)('c')),
    outcomeOf(voice['say']!.with({ offline: queue({ ttlMs: 60_000, key: 'k2' }) })('d')),
    outcomeOf(lamp['say']!.with(keyed)('e')),
  ];
  await quiet();
  expect(tab.queue.length).toBe(4);
  tab.line.mend();
  await until(() => tab.queue.length === 0);
  await quiet();
  expect(outcomes.map(({ value }) => value)).toEqual(['a', 'a', 'c', 'd', 'e']);
});

test('of the latest only the newest waits, by method or by key', async () => {
  tab.line.cut();
  const byMethod = { offline: latest() };
  const byKey = { offline: latest({ key: 'light' }) };
  const outcomes = [
    outcomeOf(lamp['set']!.with(byMethod)('1')),
    outcomeOf(lamp['say']!.with(byMethod)('2')),
    outcomeOf(lamp['set']!.with(byKey)('3')),
    outcomeOf(lamp['set']!.with(byMethod)('4')),
    outcomeOf(lamp['say']!.with(byKey)('5')),
    outcomeOf(voice['say']!.with(byKey)('6')),
    outcomeOf(lamp['set']!.with(later)('7')),
  ];
  await quiet();
  tab.line.mend();
  await until(() => tab.queue.length === 0);
  await quiet();
  expect(outcomes.map(({ value }) => value)).toEqual(['superseded', '2', 'superseded', '4', '5', '6', '7']);
  expect(robot.ran).not.toContain('Lamp.set(1)');
});

test('more calls or bytes than the bounds are refused at once; the latest of a kind takes the place of its own', async () => {
  tab = openTab(robot, { limits: { maxCalls: 3, maxBytes: 300 }, isReady: false });
  lamp = await tab.service('Lamp');
  const large = lamp['say']!.with(later)('x'.repeat(300));
  await expect(large).rejects.toMatchObject({ code: 'limit-exceeded', data: { limit: 'queuedBytes' } });
  for (const text of ['1', '2']) outcomeOf(lamp['say']!.with(later)(text));
  outcomeOf(lamp['set']!.with({ offline: latest() })('3'));
  await expect(lamp['say']?.with(later)('4')).rejects.toMatchObject({
    code: 'limit-exceeded',
    data: { limit: 'queuedCalls', maximum: 3 },
  });
  outcomeOf(lamp['set']!.with({ offline: latest() })('5'));
  await quiet();
  expect(tab.queue.list().map(({ args }) => args)).toEqual(['"1"', '"2"', '"5"']);
});

test('a call is taken out by its id, or by the signal of its caller', async () => {
  tab.line.cut();
  const controller = new AbortController();
  const outcomes = [
    outcomeOf(voice['say']!.with(later)('1')),
    outcomeOf(voice['say']!.with({ ...later, signal: controller.signal })('2')),
    outcomeOf(voice['say']!.with(later)('3')),
  ];
  await quiet();
  expect(tab.queue.cancel(tab.queue.list()[0]!.id)).toBe(true);
  expect(tab.queue.cancel('nobody')).toBe(false);
  controller.abort();
  await quiet();
  tab.line.mend();
  await until(() => tab.queue.length === 0);
  await quiet();
  expect(outcomes.map(({ value }) => value)).toEqual(['canceled', 'canceled', '3']);
  expect(robot.ran).toEqual(['Voice.say(3)']);
});

test('a call under way that is cancelled ends as that, and may have run', async () => {
  const open = robot.hold();
  const outcome = outcomeOf(voice['say']!.with(later)('a'));
  await until(() => robot.ran.length === 1);
  expect(tab.queue.list().map(({ state }) => state)).toEqual(['sending']);
  expect(tab.queue.cancel(tab.queue.list()[0]!.id)).toBe(true);
  await until(() => outcome.value !== undefined);
  expect(outcome.value).toBe('canceled maybe');
  open();
});

test('a call whose answer does not come in time ends with that', async () => {
  robot.hold();
  const outcome = outcomeOf(voice['say']!.with({ ...later, timeoutMs: 2000 })('a'));
  await until(() => robot.ran.length === 1);
  await clock.advance(2000);
  await until(() => outcome.value !== undefined);
  expect(outcome.value).toBe('timeout maybe');
});

test('where nothing can be stored calls wait in memory, which is said once', async () => {
  const store = memoryStore();
  store.failWith = new Error('QuotaExceededError');
  tab = openTab(robot, { store, isReady: false });
  voice = await tab.service('Voice');
  const outcomes = ['1', '2'].map((text) => outcomeOf(voice['say']!.with(later)(text)));
  await quiet();
  expect([tab.queue.isDurable, tab.errors.length, store.size]).toEqual([false, 1, 0]);
  store.failWith = undefined;
  outcomes.push(outcomeOf(voice['say']!.with(later)('3')));
  await quiet();
  expect([tab.queue.isDurable, tab.queue.list().map(({ args }) => args)]).toEqual([true, ['"1"', '"2"', '"3"']]);
  tab.line.mend();
  await until(() => tab.queue.length === 0);
  expect([robot.ran, store.size]).toEqual([['Voice.say(1)', 'Voice.say(2)', 'Voice.say(3)'], 0]);
});

test('a store that never answers holds up a call for three seconds', async () => {
  const store = { ...memoryStore(), add: () => new Promise<number>(() => {}) };
  tab = openTab(robot, { store });
  voice = await tab.service('Voice');
  const outcome = outcomeOf(voice['say']!.with(later)('a'));
  await quiet();
  await clock.advance(3000);
  await until(() => outcome.value !== undefined);
  expect([outcome.value, tab.queue.isDurable]).toEqual(['a', false]);
});

test('a queue that is closed says whether its calls may have run, and leaves nothing behind', async () => {
  robot.hold();
  const under = outcomeOf(voice['say']!.with(later)('a'));
  await until(() => robot.ran.length === 1);
  const waiting = outcomeOf(voice['say']!.with(later)('b'));
  await quiet();
  tab.queue.close();
  await quiet();
  expect([under.value, waiting.value, tab.line.listening]).toEqual(['closed maybe', 'closed', 0]);
  await expect(voice['say']?.with(later)('c')).rejects.toMatchObject({ code: 'closed' });
});

test.each([0, -1, Number.NaN, 86_400_001, Number.POSITIVE_INFINITY])('%s is no time to wait', (ttlMs) => {
  expect(() => queue({ ttlMs })).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
  expect(() => latest({ ttlMs })).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
  expect(() => queue({ ttlMs: 1, key: '' })).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
});
