// What is asked of a robot does not take longer, and costs no more memory, for the objects that are held meanwhile: a program
// over TCP, the agent's bus, a session over a link.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { BusObject } from '../../protocol/bus/bus.ts';
import type { ClientSession } from '../../protocol/session/client-session.ts';
import { systemClock } from '../../protocol/transport/system-clock.ts';
import {
  type BusListenerHandle,
  type CallContext,
  createObject,
  type HostedObject,
  type JoinedBus,
  joinBus,
  listenBus,
  method,
  property,
  QiwayError,
  signal,
} from '../../robot-agent/qi/index.ts';
import { callMethod, failureOf, getProperty, startCall } from '../contract/calls.ts';
import { type MemoryDoor, memoryDoor } from '../support/memory-session.ts';

/** Objects made by one call. */
const BATCH = 5000;
const MANY = 100_000;
/** Median over so many, each with a turn of the event loop of its own. */
const SAMPLES = 101;
/** Of the noise of a busy machine: a cost that grew with the objects would be thousands of times larger. */
const MARGIN = 3;
/** Heap bytes of one held object in all three places together. Its metaobject alone has 1,500, and decoded thrice that. */
const MAX_BYTES_AN_OBJECT = 3000;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

let door: MemoryDoor;
let listener: BusListenerHandle;
let program: JoinedBus;
let session: ClientSession;
let maker: BusObject;
let thing: HostedObject;
/** Settles each time nobody but its maker holds `thing`. */
let unused = Promise.withResolvers<void>();
const held: BusObject[] = [];

beforeAll(async () => {
  door = memoryDoor({ schedule: setImmediate, clock: systemClock });
  listener = await listenBus(door.bus, 'tcp://127.0.0.1:0');
  program = await joinBus(listener.url);
  // One object handed out often: each time it is bound anew, as any object.
  thing = createObject(
    { step: method('(i)', 'i', (by: number) => by + 1), changed: signal('(i)'), value: property('i', 7) },
    { onUnused: () => unused.resolve() },
  );
  const never = (context: CallContext): Promise<never> =>
    new Promise((_, reject) => context.onCancel(() => reject(new QiwayError('canceled', 'Stopped.'))));
  await program.host(
    'Maker',
    createObject({
      make: method('(i)', '[o]', (count: number) => Array.from({ length: count }, () => thing)),
      step: method('(i)', 'i', (by: number) => by + 1),
      never: method('()', 'v', never),
      speed: property('i', 5),
    }),
  );
  // Large answers are paced: they need time to pass.
  session = await door.open({ clock: systemClock });
  maker = await session.service('Maker');
});
afterAll(async () => {
  await session.close();
  await program.close();
  await listener.close();
  await door.bus.close();
});

async function holdUntil(count: number): Promise<void> {
  while (held.length < count) {
    const made = await callMethod(maker, 'make', Math.min(BATCH, count - held.length));
    held.push(...(made as BusObject[]));
  }
}

/** Microseconds. */
async function median(run: (sample: number) => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let sample = 0; sample < SAMPLES; sample += 1) {
    const start = performance.now();
    await run(sample);
    times.push((performance.now() - start) * 1000);
  }
  return times.sort((a, b) => a - b)[SAMPLES >> 1] ?? Number.NaN;
}

const questions = {
  'a call of the service': () => callMethod(maker, 'step', 1),
  'a call of a held object': (sample: number) =>
    callMethod(held[Math.floor((held.length * sample) / SAMPLES)] as BusObject, 'step', 1),
  'a property': () => getProperty(maker, 'speed'),
  'a property of a held object': (sample: number) =>
    getProperty(held[Math.floor((held.length * sample) / SAMPLES)] as BusObject, 'value'),
  'a cancelled call': () => {
    const { handle, outcome } = startCall(maker, 'never');
    handle.cancel();
    return failureOf(outcome);
  },
  'an object made and released': async () => {
    for (const object of (await callMethod(maker, 'make', 1)) as BusObject[]) object.release();
  },
};

async function timesNow(): Promise<Record<string, number>> {
  const times: Record<string, number> = {};
  for (const [name, ask] of Object.entries(questions)) times[name] = await median(ask);
  return times;
}

/** The quickest of three rounds: what else the machine does comes and goes, what the objects cost would stay. */
async function times(): Promise<Record<string, number>> {
  const rounds = [await timesNow(), await timesNow(), await timesNow()];
  return Object.fromEntries(
    Object.keys(questions).map((name) => [name, Math.min(...rounds.map((round) => round[name] ?? 0))]),
  );
}

function heapBytes(): number {
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

test('calls, properties and cancelling take as long with 10, 1,000 and 100,000 objects held', async () => {
  await holdUntil(10);
  await timesNow(); // everything is compiled
  const few = await times();
  const bytesBefore = heapBytes();
  await holdUntil(1000);
  const some = await times();
  await holdUntil(MANY);
  const bytesEach = (heapBytes() - bytesBefore) / (MANY - 10);
  const many = await times();
  expect(session.counts.remoteObjects).toBeGreaterThan(MANY);
  expect(new Set(held.map(({ metaObject }) => metaObject)).size).toBe(1);
  for (const object of held.splice(10)) object.release();
  const fewAgain = await times();
  for (const name of Object.keys(questions)) {
    const base = Math.max(few[name] ?? 0, fewAgain[name] ?? 0);
    expect(some[name], `${name} with 1,000 objects: ${base} us with 10`).toBeLessThan(base * MARGIN);
    expect(many[name], `${name} with ${MANY} objects: ${base} us with 10`).toBeLessThan(base * MARGIN);
  }
  expect(bytesEach).toBeLessThan(MAX_BYTES_AN_OBJECT);
}, 60_000);

test('100,000 objects leave with the session that held them, on the agent and in the program', async () => {
  await holdUntil(MANY);
  unused = Promise.withResolvers<void>();
  const server = door.serverSessions[0];
  expect(server?.counts.servedObjects).toBeGreaterThanOrEqual(MANY);
  await session.close();
  await unused.promise;
  expect(server?.counts.servedObjects).toBe(0);
  expect(held.every((object) => object.goneWith !== undefined)).toBe(true);
  held.length = 0;
}, 60_000);
