// Calls that run once, as a session asks for them: a journal in memory, a bus of this process, no sockets.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { NO_OBJECTS, type Payload } from '../../protocol/bus/bus.ts';
import type { GuardedMessage, ServingGuard } from '../../protocol/bus/serving-side.ts';
import type { EmbeddedBus } from '../../protocol/directory/embedded-bus.ts';
import { QiwayError } from '../../protocol/errors.ts';
import { createObject, method } from '../../protocol/objects/hosted-object.ts';
import { decodePayload, encodePayload, plainObjects } from '../../protocol/objects/values.ts';
import { type Journal, type JournalLimits, openJournal } from '../../robot-agent/journal/journal.ts';
import { createLogger } from '../../robot-agent/logger.ts';
import { type VirtualClock, virtualClock } from '../support/virtual-clock.ts';
import { ask, callOnce, counterBus, type OnceObject, onceObject } from './once-fixture.ts';

let clock: VirtualClock;
let journal: Journal;
let bus: EmbeddedBus;
let counted: string[];
/** Answers that the service holds back. */
let gate: Promise<void> | undefined;
let failure: Error | undefined;

const text = (value: string): Payload => encodePayload('(s)', [value], plainObjects);
const read = (payload: Payload): unknown => decodePayload(payload, plainObjects);

function open(limits: Partial<JournalLimits> = {}): void {
  journal?.close();
  journal = openJournal({ clock, limits, logger: createLogger(() => {}, 'silent') });
}

beforeEach(async () => {
  clock = virtualClock();
  counted = [];
  gate = undefined;
  failure = undefined;
  open();
  const run = async (value: string): Promise<string> => {
    counted.push(value);
    await gate;
    if (failure !== undefined) throw failure;
    return value.repeat(2);
  };
  bus = await counterBus(
    createObject({
      count: method('(s)', 's', run),
      walk: method('(s)', 's', run),
      any: method('(m)', 's', () => run('any')),
      give: method('()', 'o', () => createObject({})),
      stop: method('()', 'v', (context: { onCancel(stop: () => void): void }) => {
        return new Promise<void>((_, reject) => context.onCancel(() => reject(new QiwayError('canceled', 'Stopped.'))));
      }),
    }),
  );
});

afterEach(() => journal.close());

const client = (clientId = 'client', guard?: ServingGuard): OnceObject =>
  onceObject({ journal, bus, clock, guard }, clientId);

test('a key is called once, and answered the same afterwards, in this session and in the next', async () => {
  const once = client();
  expect(read(await callOnce(once, { key: 'k1', payload: text('a') }))).toBe('aa');
  expect(read(await callOnce(once, { key: 'k1', payload: text('a') }))).toBe('aa');
  expect(read(await callOnce(client(), { key: 'k1', payload: text('a') }))).toBe('aa');
  expect(read(await callOnce(once, { key: 'k2', payload: text('a') }))).toBe('aa');
  expect(counted).toEqual(['a', 'a']);
});

test('keys are the client’s own', async () => {
  await callOnce(client('one'), { key: 'k', payload: text('a') });
  await callOnce(client('other'), { key: 'k', payload: text('b') });
  expect(counted).toEqual(['a', 'b']);
});

test('who asks while the call is under way, from whichever session, waits for the same answer', async () => {
  let open = (): void => {};
  gate = new Promise((resolve) => {
    open = resolve;
  });
  const both = [client(), client()].map((once) => callOnce(once, { key: 'k', payload: text('a') }));
  while (counted.length === 0) await new Promise(setImmediate);
  open();
  expect((await Promise.all(both)).map(read)).toEqual(['aa', 'aa']);
  expect(counted).toEqual(['a']);
});

test('what the service threw is told again in its own words, and not tried again', async () => {
  failure = new Error('no paper');
  const told = { code: 'call-failed', data: { text: 'no paper' } };
  await expect(callOnce(client(), { key: 'k', payload: text('a') })).rejects.toMatchObject(told);
  failure = undefined;
  await expect(callOnce(client(), { key: 'k', payload: text('a') })).rejects.toMatchObject(told);
  expect(counted).toEqual(['a']);
});

test('a call that certainly did not run leaves its key free; one that may have run does not', async () => {
  const call = (key: string): Promise<Payload> => callOnce(client(), { key, payload: text('a') });
  const down = new QiwayError('bus-down', 'No bus.');
  bus.explainMissing(() => down);
  const gone = bus.registry.list().find(({ name }) => name === 'Counter');
  bus.registry.unregister(gone?.serviceId ?? 0);
  await expect(call('k')).rejects.toMatchObject({ code: 'bus-down', maybeExecuted: false });
  expect(journal.counts.calls).toBe(0);
  let failures = 0;
  await bus.host(
    'Counter',
    createObject({
      count: method('(s)', 's', () => {
        failures += 1;
        throw down; // its own bus: it has begun, so it may have done something
      }),
    }),
  );
  for (let round = 0; round < 2; round += 1)
    await expect(call('k')).rejects.toMatchObject({ code: 'bus-down', maybeExecuted: true });
  expect(failures).toBe(1);
});

test('motion, the directory, objects, and bytes that are none of the signature are refused before anything is called', async () => {
  const once = client();
  const refused = async (call: Partial<Parameters<typeof callOnce>[1]>, code: string): Promise<void> => {
    await expect(callOnce(once, { key: 'k', payload: text('a'), ...call })).rejects.toMatchObject({ code });
  };
  await refused({ method: 'walk::(s)' }, 'forbidden');
  await refused({ service: 'ServiceDirectory', method: 'services::()' }, 'forbidden');
  await refused({ payload: { signature: '(s)', bytes: Uint8Array.of(9, 0), objects: NO_OBJECTS } }, 'invalid-argument');
  await refused({ payload: { signature: '(', bytes: Uint8Array.of(), objects: NO_OBJECTS } }, 'invalid-argument');
  const holdsObject = encodePayload('(m)', [createObject({})], plainObjects);
  await refused({ method: 'any::(m)', payload: holdsObject }, 'invalid-argument');
  await refused({ key: '' }, 'invalid-argument');
  await refused({ key: 'x'.repeat(129) }, 'invalid-argument');
  await refused({ key: 'k2', method: 'nothing::()' }, 'member-not-found');
  await refused({ key: 'k3', service: 'Nobody' }, 'service-not-found');
  expect(counted).toEqual([]);
});

test('the guard of the session looks at the call', async () => {
  const asked: GuardedMessage[] = [];
  const guard: ServingGuard = {
    isOnDuty: true,
    isLate: false,
    refuse: (message) => {
      asked.push(message);
      return new QiwayError('lease-held', 'Somebody has it.');
    },
  };
  await expect(callOnce(client('client', guard), { key: 'k', payload: text('a') })).rejects.toMatchObject({
    code: 'lease-held',
  });
  const { serviceId } = await bus.serviceInfo('Counter');
  expect(asked.map(({ service }) => service)).toEqual([serviceId]);
  expect(counted).toEqual([]);
});

test('a result that holds an object, is too large, or was handed out is not kept, and the call not repeated', async () => {
  const gone = (reason: string): object => ({ code: 'result-not-kept', data: { reason }, maybeExecuted: true });
  const give = { key: 'object', payload: encodePayload('()', [], plainObjects), method: 'give::()' };
  for (let round = 0; round < 2; round += 1)
    await expect(callOnce(client(), give)).rejects.toMatchObject(gone('object'));
  open({ maxResultBytes: 10 });
  const large = { key: 'large', payload: text('abcdef') };
  expect(read(await callOnce(client(), large))).toBe('abcdefabcdef');
  await expect(callOnce(client(), large)).rejects.toMatchObject(gone('too large'));
  const small = { key: 'small', payload: text('a') };
  await callOnce(client(), small);
  await ask(client(), 'outcomesTaken', [['small', 'unknown']]);
  await expect(callOnce(client(), small)).rejects.toMatchObject(gone('handed out'));
  expect(counted).toEqual(['abcdef', 'a']);
});

test('asked to stop, the call stops, and that is its outcome', async () => {
  const once = client();
  const call = { key: 'k', payload: encodePayload('()', [], plainObjects), method: 'stop::()' };
  const stopped = expect(callOnce(once, call)).rejects.toMatchObject({ code: 'canceled' });
  while (journal.counts.calls === 0) await new Promise(setImmediate);
  await new Promise(setImmediate);
  await ask(once, 'stopOnce', ['k']);
  await stopped;
  await expect(callOnce(once, call)).rejects.toMatchObject({ code: 'canceled' });
});

test('a client that makes very many calls displaces its own oldest, those it has taken first, and none under way', async () => {
  open({ maxCallsPerClient: 200, maxCalls: 1000 });
  const once = client();
  const call = (key: string): Promise<Payload> => callOnce(once, { key, payload: text('a') });
  for (let index = 0; index < 200; index += 1) await call(`k${index}`);
  await ask(once, 'outcomesTaken', [Array.from({ length: 150 }, (_, index) => `k${index + 50}`)]);
  expect(journal.counts).toEqual({ calls: 200, bytes: 300, running: 0 });
  await call('next');
  expect(journal.counts).toEqual({ calls: 101, bytes: 306, running: 0 });
  counted = [];
  expect(read(await call('k0'))).toBe('aa');
  await expect(call('k199')).rejects.toMatchObject({ code: 'result-not-kept' });
  expect(counted).toEqual([]);
  let release = (): void => {};
  gate = new Promise((resolve) => {
    release = resolve;
  });
  open({ maxCallsPerClient: 3 });
  const three = ['1', '2', '3'].map((key) => callOnce(client(), { key, payload: text('a') }));
  await expect(callOnce(client(), { key: '4', payload: text('a') })).rejects.toMatchObject({
    code: 'limit-exceeded',
    data: { maximum: 3 },
  });
  release();
  await Promise.all(three);
  await callOnce(client(), { key: '4', payload: text('a') });
});

test('a full journal takes no more calls until a client says that it has its answers', async () => {
  open({ maxCallsPerClient: 3, maxCalls: 5 });
  const call = (key: string, clientId: string): Promise<Payload> =>
    callOnce(client(clientId), { key, payload: text('a') });
  for (const key of ['1', '2', '3']) await call(key, 'one');
  for (const key of ['1', '2']) await call(key, 'other');
  await expect(call('1', 'third')).rejects.toMatchObject({ code: 'limit-exceeded', data: { maximum: 5 } });
  await ask(client('one'), 'outcomesTaken', [['2']]);
  await call('1', 'third');
  expect(journal.counts.calls).toBe(5);
  expect(read(await call('3', 'one'))).toBe('aa');
  expect(counted.length).toBe(6);
});

test('results beyond the bytes of a client are handed out, and not kept', async () => {
  open({ maxBytesPerClient: 15 });
  const call = (key: string): Promise<Payload> => callOnce(client(), { key, payload: text('a') });
  for (const key of ['1', '2', '3']) expect(read(await call(key))).toBe('aa');
  expect(read(await call('2'))).toBe('aa');
  await expect(call('3')).rejects.toMatchObject({ code: 'result-not-kept' });
  expect(counted).toEqual(['a', 'a', 'a']);
});

test('what is older than a call may wait is forgotten, in time that the agent ran', async () => {
  open({ keepMs: 3_600_000 });
  await callOnce(client(), { key: 'old', payload: text('a') });
  await clock.advance(3_000_000);
  await callOnce(client(), { key: 'young', payload: text('a') });
  expect(journal.counts.calls).toBe(2);
  await clock.advance(700_000);
  await callOnce(client(), { key: 'next', payload: text('a') });
  expect(journal.counts).toMatchObject({ calls: 2, bytes: 12 });
});

test('the memory has another name for another client, and after it was lost', async () => {
  const own = await ask(client(), 'journalId', []);
  expect(await ask(client(), 'journalId', [])).toBe(own);
  expect(await ask(client('a page after its reload'), 'journalId', [])).not.toBe(own);
  open();
  expect(await ask(client(), 'journalId', [])).not.toBe(own);
});
