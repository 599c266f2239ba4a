// The journal on a disk: what outlives the process, a damaged file, a file in use, kill -9.
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createObject, method } from '../../protocol/objects/hosted-object.ts';
import { decodePayload, encodePayload, plainObjects } from '../../protocol/objects/values.ts';
import { systemClock } from '../../protocol/transport/system-clock.ts';
import { type Journal, openJournal } from '../../robot-agent/journal/journal.ts';
import { createLogger } from '../../robot-agent/logger.ts';
import { callOnce, counterBus, type OnceObject, onceObject } from './once-fixture.ts';

let folder: string;
let path: string;
let lines: string[];
const opened = new Set<Journal>();
const logger = createLogger((line) => lines.push(line), 'info');

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'qiway-journal-'));
  path = join(folder, 'calls.db');
  lines = [];
});

afterEach(() => {
  for (const journal of opened) journal.close();
  opened.clear();
  rmSync(folder, { recursive: true });
});

function open(): Journal {
  const journal = openJournal({ path, clock: systemClock, logger });
  opened.add(journal);
  return journal;
}

async function session(journal: Journal, run: (text: string) => unknown): Promise<OnceObject> {
  return onceObject({
    journal,
    bus: await counterBus(createObject({ count: method('(s)', 's', run) })),
    clock: systemClock,
  });
}

async function count(once: OnceObject, key: string): Promise<unknown> {
  const payload = encodePayload('(s)', [key], plainObjects);
  return decodePayload(await callOnce(once, { key, payload }), plainObjects);
}

test('a journal that was closed goes on with what it knew, for its owner’s eyes only', async () => {
  const first = open();
  await count(await session(first, () => 'first'), 'k');
  await expect(count(await session(first, () => Promise.reject(new Error('no'))), 'failed')).rejects.toThrow('no');
  first.close();
  expect(statSync(path).mode & 0o777).toBe(0o600);
  const second = open();
  expect(second.id).toBe(first.id);
  expect(second.counts).toMatchObject({ calls: 2, bytes: 9 });
  const once = await session(second, () => 'second');
  expect(await count(once, 'k')).toBe('first');
  await expect(count(once, 'failed')).rejects.toMatchObject({ code: 'call-failed', data: { text: 'no' } });
  expect(await count(once, 'other')).toBe('second');
  expect(lines).toEqual([]);
});

test('a call that was under way when the agent ended is reported, not repeated', async () => {
  const first = open();
  const under = await session(first, () => new Promise<string>(() => {}));
  void count(under, 'k').catch(() => {});
  while (first.counts.calls === 0) await new Promise(setImmediate);
  await new Promise(setImmediate);
  first.close();
  const once = await session(open(), () => 'again');
  for (let round = 0; round < 2; round += 1)
    await expect(count(once, 'k')).rejects.toMatchObject({
      code: 'interrupted',
      maybeExecuted: true,
      data: { service: 'Counter', method: 'count::(s)' },
    });
});

test.each([
  ['no database', Buffer.from('this is no database, and long enough to be looked at as one. '.repeat(40))],
  ['half a database', undefined],
])('%s is moved aside with a warning, and the agent goes on', async (_, content) => {
  const first = open();
  for (let index = 0; index < 50; index += 1) await count(await session(first, () => 'x'.repeat(500)), `k${index}`);
  first.close();
  const whole = statSync(path).size;
  writeFileSync(path, content ?? Buffer.alloc(whole, 7), content === undefined ? { flag: 'r+', flush: true } : {});
  const second = open();
  expect(second.id).not.toBe(first.id);
  expect(second.counts.calls).toBe(0);
  expect(await count(await session(second, () => 'new'), 'k1')).toBe('new');
  expect(readdirSync(folder)).toContain('calls.db.damaged');
  expect(lines.join('')).toContain('could not be read');
});

test('a file that another agent uses, or that cannot be made, is refused by the name of the option', () => {
  open();
  expect(() => open()).toThrow(expect.objectContaining({ code: 'config-invalid', data: { key: 'state' } }));
  expect(() => openJournal({ path: join(folder, 'no', 'folder'), clock: systemClock, logger })).toThrow(/--state/);
});

interface Agent {
  readonly process: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly ready: Promise<void>;
  readonly ended: Promise<void>;
}

/** Told as they come: `key answer`. */
function startAgent(server: Server, onLine: (key: string, answer: string) => void): Agent {
  const { port } = server.address() as { port: number };
  const program = join(import.meta.dirname, 'once-process.ts');
  const child = spawn(process.execPath, [program, path, String(port)], { stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.on('error', () => {}); // killed while it was written to
  let isReady = (): void => {};
  const ready = new Promise<void>((resolve) => {
    isReady = resolve;
  });
  createInterface({ input: child.stdout }).on('line', (line) => {
    const [key = '', answer = ''] = line.split(' ');
    if (key === 'ready') isReady();
    else onLine(key, answer);
  });
  child.stderr.on('data', (bytes: Buffer) => lines.push(String(bytes)));
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  return { process: child, ready, ended };
}

/** Calls under way at once, and answers until the next kill. */
const WINDOW = 20;
const CALLS_BETWEEN_KILLS = 50;

test('killed again and again in a burst of calls: each ran once, or is reported as interrupted', async () => {
  /** How often each key ran, counted where no kill reaches. */
  const ran = new Map<string, number>();
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    const called = createInterface({ input: socket }).on('line', (key) => {
      ran.set(key, (ran.get(key) ?? 0) + 1);
      socket.write(`${key}\n`);
    });
    called.on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const keys = Array.from({ length: 400 }, (_, index) => `key-${index}`);
  const answers = new Map<string, string>();
  const kills = 6;
  try {
    for (let round = 0; round <= kills; round += 1) {
      const left = keys.filter((key) => !answers.has(key));
      const isLast = round === kills;
      let answered = 0;
      let isOver = (): void => {};
      const over = new Promise<void>((resolve) => {
        isOver = resolve;
      });
      const agent = startAgent(server, (key, answer) => {
        answers.set(key, answer);
        answered += 1;
        const next = left[answered + WINDOW - 1];
        if (next !== undefined) agent.process.stdin.write(`${next}\n`);
        // While others are on their way: begun, or run and not answered yet.
        if (isLast ? answers.size === keys.length : answered === CALLS_BETWEEN_KILLS) isOver();
      });
      await agent.ready;
      for (const key of left.slice(0, WINDOW)) agent.process.stdin.write(`${key}\n`);
      await over;
      agent.process.kill('SIGKILL');
      await agent.ended;
    }
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
  const interrupted = keys.filter((key) => answers.get(key) === '!interrupted');
  for (const key of keys) {
    if (answers.get(key) === key) expect([key, ran.get(key)]).toEqual([key, 1]);
    else expect([answers.get(key), ran.get(key) ?? 0]).toEqual(['!interrupted', expect.toBeOneOf([0, 1])]);
  }
  // Else the kills came at moments that prove nothing.
  expect(interrupted.length).toBeGreaterThan(0);
  expect(interrupted.length).toBeLessThanOrEqual(kills * WINDOW);
  expect(lines).toEqual([]);
}, 60_000);
