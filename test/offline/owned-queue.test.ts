// The queue that the owner of a link keeps for its tabs, over real ports: what tabs ask and are told, and what is left when
// one is gone.
import { NO_OBJECTS, type Payload } from '@qiway/protocol/bus/bus';
import type { QiwayError } from '@qiway/protocol/errors';
import { createObject, type HostedObject, method } from '@qiway/protocol/objects/hosted-object';
import type { QueuedCall } from '@qiway/protocol/objects/remote';
import type { ClientSession } from '@qiway/protocol/session/client-session';
import { decodeValue, encodeValue } from '@qiway/protocol/wire/value';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type OwnedQueue, openOwnedQueue } from '../../sdk/offline/owned-queue.ts';
import type { QueueChange } from '../../sdk/offline/queue-types.ts';
import { openTabQueue, type TabQueue } from '../../sdk/offline/tab-queue.ts';
import { type MemoryDoor, memoryDoor } from '../support/memory-session.ts';

interface Tab {
  readonly queue: TabQueue;
  readonly changes: string[];
  /** The page is gone. */
  leave(): void;
}

let door: MemoryDoor;
let session: ClientSession;
let owner: OwnedQueue;
let isOff: boolean;
let ran: string[];
/** What `Voice.make` returns. */
let made: HostedObject;
const tabs: Tab[] = [];

beforeEach(async () => {
  ran = [];
  isOff = false;
  door = memoryDoor({ told: () => ({ bus: 'up', classes: [['Voice.*', 'idempotent']] }) });
  const say = (text: string): string => {
    ran.push(text);
    return `said ${text}`;
  };
  made = createObject({ ping: method('()', 'v', () => undefined) });
  const make = method('()', 'o', () => made);
  await door.bus.host('Voice', createObject({ say: method('(s)', 's', say), make }));
  session = await door.open({
    dial: async (request) => {
      if (isOff) throw new Error('nothing listens');
      return door.dialAs('client')(request);
    },
  });
  owner = openOwnedQueue(session, door.clock);
});
afterEach(async () => {
  for (const { queue } of tabs.splice(0)) queue.close();
  owner.close();
  await session.close();
});

function openTab(): Tab {
  const changes: string[] = [];
  let leave = (): void => {};
  const queue = openTabQueue({
    join: (ports) => {
      leave = owner.serve(ports);
    },
    onChange: ({ kind, entry }: QueueChange) => changes.push(`${kind} ${entry.args}`),
    onLength: () => {},
    onError: () => {},
  });
  const tab = { queue, changes, leave: () => leave() };
  tabs.push(tab);
  return tab;
}

function say(text: string, more: Partial<QueuedCall> = {}): QueuedCall {
  return {
    service: 'Voice',
    method: 'say::(s)',
    payload: { signature: '(s)', bytes: encodeValue('(s)', [text]), objects: NO_OBJECTS },
    args: [text],
    memberClass: 'idempotent',
    policy: { kind: 'queue', ttlMs: 60_000 },
    timeoutMs: 1000,
    signal: undefined,
    ...more,
  };
}

const answerOf = ({ signature, bytes }: Payload): unknown => decodeValue(signature, bytes);
const codeOf = (error: QiwayError): string => error.code;

async function goOff(): Promise<void> {
  isOff = true;
  session.link?.transport.close(4408, 'cut');
  await vi.waitFor(() => expect(session.sessionState).toBe('offline'));
}

async function comeBack(): Promise<void> {
  isOff = false;
  await door.clock.advance(5_000);
}

test('calls of all tabs wait in one order, each gets its own answers, all are told of all', async () => {
  const [one, other] = [openTab(), openTab()];
  await Promise.all([one.queue.ready, other.queue.ready]);
  await goOff();
  const first = one.queue.enqueue(say('one'));
  await vi.waitFor(async () => expect(await other.queue.list()).toHaveLength(1));
  const second = other.queue.enqueue(say('two'));
  await vi.waitFor(async () => expect((await one.queue.list()).map(({ args }) => args)).toEqual(['"one"', '"two"']));
  expect(ran).toEqual([]);
  await comeBack();
  expect([answerOf(await first), answerOf(await second)]).toEqual(['said one', 'said two']);
  expect(ran).toEqual(['one', 'two']);
  await vi.waitFor(() => expect(one.changes).toContain('done "two"'));
  await vi.waitFor(() => expect(other.changes).toContain('done "one"'));
  await vi.waitFor(() => expect(one.queue.length).toBe(0));
});

test('what a tab queued that is gone is made all the same', async () => {
  const [gone, other] = [openTab(), openTab()];
  await goOff();
  gone.queue.enqueue(say('left')).catch(() => {});
  await vi.waitFor(async () => expect(await other.queue.list()).toHaveLength(1));
  gone.leave();
  await comeBack();
  await vi.waitFor(() => expect(ran).toEqual(['left']));
});

test('a call can be taken out by another tab, and given up by its own', async () => {
  const [one, other] = [openTab(), openTab()];
  await goOff();
  const giveUp = new AbortController();
  const failures = [
    one.queue.enqueue(say('taken out')).catch(codeOf),
    one.queue.enqueue(say('given up', { signal: giveUp.signal })).catch(codeOf),
  ];
  await vi.waitFor(async () => expect(await other.queue.list()).toHaveLength(2));
  const [entry] = await other.queue.list();
  expect(await other.queue.cancel(entry?.id ?? '')).toBe(true);
  expect(await other.queue.cancel('unknown')).toBe(false);
  giveUp.abort();
  expect(await Promise.all(failures)).toEqual(['canceled', 'canceled']);
  await comeBack();
  expect(ran).toEqual([]);
});

test('a tab whose owner is gone is told so, and goes on with the next', async () => {
  const tab = openTab();
  await tab.queue.ready;
  await goOff();
  const waiting = tab.queue.enqueue(say('who knows')).catch((error: QiwayError) => error);
  tab.queue.lost();
  expect(await waiting).toMatchObject({ code: 'result-not-kept', maybeExecuted: true });
  expect(await tab.queue.enqueue(say('nobody')).catch((error: QiwayError) => error.code)).toBe('offline');
  await comeBack();
  tab.queue.joinAgain();
  expect(answerOf(await tab.queue.enqueue(say('again')))).toBe('said again');
});

test('an object that a call returned is not kept: the tab is told so, and the robot that it is not used', async () => {
  const [one, other] = [openTab(), openTab()];
  await Promise.all([one.queue.ready, other.queue.ready]);
  let released = 0;
  const release = made.release.bind(made);
  made.release = () => {
    released += 1;
    release();
  };
  await goOff();
  const payload = { signature: '()', bytes: new Uint8Array(0), objects: NO_OBJECTS };
  const call = one.queue.enqueue(say('', { method: 'make::()', payload, args: [] })).catch((error: unknown) => error);
  await vi.waitFor(async () => expect(await other.queue.list()).toHaveLength(1));
  await comeBack();
  expect(await call).toMatchObject({ code: 'result-not-kept', data: { reason: 'object' }, maybeExecuted: true });
  await vi.waitFor(() => expect(released).toBe(1));
  await vi.waitFor(() => expect(other.changes).toContain('done '));
});

test('who looks at the queue while the owner goes is told so', async () => {
  const tab = openTab();
  await tab.queue.ready;
  const asked = [tab.queue.list(), tab.queue.cancel('some')].map((each) =>
    Promise.resolve<unknown>(each).catch(codeOf),
  );
  tab.queue.lost();
  expect(await Promise.all(asked)).toEqual(['result-not-kept', 'result-not-kept']);
});

test('a tab that has an owner does not join another', async () => {
  let joins = 0;
  const queue = openTabQueue({
    join: (ports) => {
      joins += 1;
      owner.serve(ports);
    },
    onChange: () => {},
    onLength: () => {},
    onError: () => {},
  });
  queue.joinAgain();
  expect(joins).toBe(1);
  queue.lost();
  queue.joinAgain();
  queue.joinAgain();
  expect(joins).toBe(2);
  queue.close();
});

test('when the owner closes the robot, who waits is told, and nothing is made', async () => {
  const tab = openTab();
  await tab.queue.ready;
  await goOff();
  const waiting = tab.queue.enqueue(say('late')).catch(codeOf);
  await vi.waitFor(async () => expect(await tab.queue.list()).toHaveLength(1));
  owner.close();
  expect(await waiting).toBe('closed');
  await comeBack();
  expect(ran).toEqual([]);
});
