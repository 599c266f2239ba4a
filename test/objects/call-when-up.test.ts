// Calls that wait for the robot's bus because their caller said so: on a virtual clock, without sockets.
import { beforeEach, expect, test } from 'vitest';
import type { BusObject, CallHandle, CallRequest, ReplySink } from '../../protocol/bus/bus.ts';
import { QiwayError } from '../../protocol/errors.ts';
import { createObject, type HostedObject, method } from '../../protocol/objects/hosted-object.ts';
import { createRemoteObjects } from '../../protocol/objects/remote-objects.ts';
import type { CallOptions, RemoteObject } from '../../protocol/objects/remote-types.ts';
import { settled, type VirtualClock, virtualClock } from '../support/virtual-clock.ts';

interface Lamp {
  blink(times: number): number;
}

let clock: VirtualClock;
/** What calls fail with; undefined: they go through. */
let failure: QiwayError | undefined;
let attempts: number;
let ran: number[];
let listeners: Set<() => void>;

const down = (maybeExecuted = false): QiwayError => new QiwayError('bus-down', 'No bus.', { maybeExecuted });

beforeEach(() => {
  clock = virtualClock();
  failure = down();
  attempts = 0;
  ran = [];
  listeners = new Set();
});

function remote(service?: string): RemoteObject<Lamp> {
  const object: HostedObject = createObject({
    blink: method('(i)', 'i', (times: number) => {
      ran.push(times);
      return times;
    }),
  });
  const call = object.call.bind(object);
  const flaky: BusObject = Object.assign(object, {
    call: (request: CallRequest, sink: ReplySink): CallHandle => {
      attempts += 1;
      if (failure === undefined) return call(request, sink);
      sink.error(failure);
      return { cancel: () => {} };
    },
  });
  const objects = createRemoteObjects({
    clock,
    report: () => {},
    classOf: (name, member) => (name === 'ALMotion' && member === 'blink' ? 'motion' : undefined),
    onBusUp: (run) => {
      listeners.add(run);
      return () => listeners.delete(run);
    },
  });
  return objects.wrap<Lamp>(flaky, service);
}

interface Outcome {
  settled?: unknown;
}

function waiting(lamp: RemoteObject<Lamp>, options: CallOptions = {}): Outcome {
  const outcome: Outcome = {};
  lamp.blink
    .with({ whenBusDown: 'wait', ...options })(3)
    .then(
      (value) => {
        outcome.settled = value;
      },
      (error: QiwayError) => {
        outcome.settled = `${error.code}${error.maybeExecuted ? ' maybe' : ''}`;
      },
    );
  return outcome;
}

test('without being asked to wait a call fails at once', async () => {
  await expect(remote().blink(3)).rejects.toMatchObject({ code: 'bus-down' });
  await expect(remote().blink.with({ whenBusDown: 'fail' })(3)).rejects.toMatchObject({ code: 'bus-down' });
  expect(attempts).toBe(2);
});

test('runs once, as soon as the bus is said to be up', async () => {
  const outcome = waiting(remote('ALTextToSpeech'));
  await settled();
  expect([attempts, listeners.size]).toEqual([1, 1]);
  failure = undefined;
  for (const run of [...listeners]) run();
  await settled();
  expect(outcome).toEqual({ settled: 3 });
  expect([ran, attempts, listeners.size]).toEqual([[3], 2, 0]);
  await clock.advance(60_000);
  expect(attempts).toBe(2);
});

test('is tried twice a second where nothing is said', async () => {
  const outcome = waiting(remote());
  await clock.advance(2000);
  expect(attempts).toBe(5);
  failure = undefined;
  await clock.advance(500);
  expect([outcome, ran]).toEqual([{ settled: 3 }, [3]]);
});

test('is not repeated when it may have run, or failed otherwise', async () => {
  failure = down(true);
  const maybe = waiting(remote());
  await clock.advance(2000);
  failure = new QiwayError('service-gone', 'It left.');
  const gone = waiting(remote());
  await clock.advance(2000);
  expect([maybe, gone, attempts]).toEqual([{ settled: 'bus-down maybe' }, { settled: 'service-gone' }, 2]);
});

test.each([
  [{ timeoutMs: 1200 }, 1200],
  [{}, 30_000],
])('ends with %o after its time, having run nowhere', async (options, timeoutMs) => {
  const outcome = waiting(remote(), options);
  await clock.advance(timeoutMs - 1);
  expect(outcome).toEqual({});
  await clock.advance(1);
  expect(outcome).toEqual({ settled: 'timeout' });
  failure = undefined;
  await clock.advance(60_000);
  expect([ran, listeners.size]).toEqual([[], 0]);
});

test('with a time-out of 0 waits for as long as it takes', async () => {
  const outcome = waiting(remote(), { timeoutMs: 0 });
  await clock.advance(3_600_000);
  failure = undefined;
  await clock.advance(500);
  expect(outcome).toEqual({ settled: 3 });
});

test('stops waiting when its caller wants no more', async () => {
  const controller = new AbortController();
  const outcome = waiting(remote(), { signal: controller.signal });
  await clock.advance(700);
  controller.abort();
  await settled();
  expect(outcome).toEqual({ settled: 'canceled' });
  failure = undefined;
  await clock.advance(60_000);
  expect([ran, listeners.size]).toEqual([[], 0]);
});

test('what moves the robot never waits, whether the bus is up or down', async () => {
  failure = undefined;
  const up = waiting(remote('ALMotion'));
  failure = down();
  const isDown = waiting(remote('ALMotion'));
  await clock.advance(1000);
  expect([up, isDown, attempts]).toEqual([{ settled: 'forbidden' }, { settled: 'forbidden' }, 0]);
});
