// Events for a session whose other side takes them slowly, on a queue and a clock that the test moves.
import type { BusObject, Payload } from '@qiway/protocol/bus/bus';
import { demandOf } from '@qiway/protocol/bus/demand';
import { type EventFlow, EventFlows, type Flow } from '@qiway/protocol/bus/event-flow';
import { beforeEach, describe, expect, it } from 'vitest';
import { settled, virtualClock } from '../support/virtual-clock.ts';

const BUDGET = 1000;
const DETACHED_BUDGET = 200;
const WAIT_ABOVE = 100;
const EVENT_BYTES = 60;

/** An outbox of which the test says what was acknowledged. */
class Queue implements Flow {
  isAttached = true;
  queuedBytes = 0;
  readonly #waiting = new Set<{ readonly bytes: number; readonly run: () => void }>();

  whenBelow(bytes: number, run: () => void): () => void {
    const entry = { bytes, run };
    this.#waiting.add(entry);
    return () => this.#waiting.delete(entry);
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  acknowledge(bytes: number): void {
    this.queuedBytes -= bytes;
    if (!this.isAttached) return;
    for (const entry of [...this.#waiting])
      if (this.queuedBytes <= entry.bytes && this.#waiting.delete(entry)) entry.run();
  }
}

let queue: Queue;
let clock: ReturnType<typeof virtualClock>;
let flows: EventFlows;
let sent: string[];
let released: string[];
const counts = { eventsThinned: 0, eventsMissed: 0 };

beforeEach(() => {
  queue = new Queue();
  clock = virtualClock();
  Object.assign(counts, { eventsThinned: 0, eventsMissed: 0 });
  flows = new EventFlows({
    flow: queue,
    clock,
    counts,
    budgetBytes: BUDGET,
    detachedBudgetBytes: DETACHED_BUDGET,
    waitAboveBytes: WAIT_ABOVE,
  });
  sent = [];
  released = [];
});

/** A registration on a signal; what goes out is noted by name and queued. */
function open(name: string, signal = 100): EventFlow {
  return flows.open(
    { service: 5, object: 1, signal },
    {
      event: (payload) => {
        sent.push(`${name}${payload.signature}`);
        queue.queuedBytes += EVENT_BYTES;
      },
      gap: (missed) => sent.push(`${name} gap ${missed}`),
    },
  );
}

/** An event with an object in it, of which it is noted when it is let go of. */
function event(name: string | number): Payload {
  const object = { release: () => released.push(String(name)) } as Partial<BusObject> as BusObject;
  return { signature: String(name), bytes: new Uint8Array(0), objects: [object] };
}

function set(policy: string, maxHz = 0, signal = 100): void {
  flows.set({ service: 5, object: 1, signal }, demandOf(policy, maxHz));
}

describe('of which every one is wanted', () => {
  it('all go while no more than the budget is queued', () => {
    const flow = open('');
    for (let n = 0; n < 10; n += 1) flow.event(event(n));
    expect(sent).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
    expect(released).toEqual([]);
  });

  it('those beyond the budget are left out, and their exact number is told when half of it is free', () => {
    const flow = open('');
    for (let n = 0; n < 30; n += 1) flow.event(event(n)); // 17 of 60 bytes are the first to be more than 1000
    expect(sent.length).toBe(17);
    expect(released).toEqual(Array.from({ length: 13 }, (_, index) => String(17 + index)));
    expect(counts).toEqual({ eventsThinned: 0, eventsMissed: 13 });
    queue.acknowledge(500); // 520 left
    flow.event(event('late'));
    expect(sent.length).toBe(17);
    queue.acknowledge(20); // 500
    expect(sent.slice(17)).toEqual([' gap 14']);
    flow.event(event('next'));
    expect(sent.slice(17)).toEqual([' gap 14', 'next']);
    expect(queue.waiting).toBe(0);
  });

  it('a gap from before joins the one that is being counted, in number', () => {
    const flow = open('');
    flow.gap(3);
    queue.queuedBytes = BUDGET + 1;
    flow.event(event(1));
    flow.gap(4);
    flow.event(event(2));
    queue.acknowledge(BUDGET);
    flow.gap(undefined);
    queue.queuedBytes = BUDGET + 1;
    flow.event(event(3));
    flow.gap(undefined);
    flow.event(event(4));
    queue.acknowledge(BUDGET);
    expect(sent).toEqual([' gap 3', ' gap 6', ' gap undefined', ' gap undefined']);
  });

  it('each registration counts for itself', () => {
    const [one, other] = [open('a'), open('b', 101)];
    queue.queuedBytes = BUDGET + 1;
    one.event(event(1));
    one.event(event(2));
    other.event(event(3));
    queue.acknowledge(BUDGET);
    other.event(event(4));
    expect(sent).toEqual(['a gap 2', 'b gap 1', 'b4']);
  });

  it('a session without link fills the small budget of who is away, then counts; what was on its way before is kept', () => {
    const flow = open('');
    queue.isAttached = false;
    for (let n = 0; n < 30; n += 1) flow.event(event(n));
    expect(sent).toEqual(['0', '1', '2', '3']);
    queue.isAttached = true;
    queue.acknowledge(4 * EVENT_BYTES);
    expect(sent.slice(4)).toEqual([' gap 26']);
    for (let n = 30; n < 40; n += 1) flow.event(event(n));
    queue.isAttached = false;
    flow.event(event(40));
    queue.isAttached = true;
    queue.acknowledge(10 * EVENT_BYTES);
    expect(sent.slice(5)).toEqual(['30', '31', '32', '33', '34', '35', '36', '37', '38', '39', ' gap 1']);
  });
});

describe('of which the newest is wanted', () => {
  it('go at once while nothing waits, then only the newest is kept', () => {
    set('latest');
    const flow = open('');
    for (let n = 0; n < 10; n += 1) flow.event(event(n)); // the second is more than 100 bytes
    expect(sent).toEqual(['0', '1']);
    expect(released).toEqual(['2', '3', '4', '5', '6', '7', '8']);
    expect(counts).toEqual({ eventsThinned: 7, eventsMissed: 0 });
    queue.acknowledge(20);
    expect(sent).toEqual(['0', '1', '9']);
    queue.acknowledge(160);
    expect(sent).toEqual(['0', '1', '9']);
  });

  it('take turns when there is little room', () => {
    for (const signal of [100, 101, 102]) set('latest', 0, signal);
    const registrations = [open('a'), open('b', 101), open('c', 102)];
    queue.queuedBytes = 200;
    const all = (n: number): void => {
      for (const flow of registrations) flow.event(event(n));
    };
    all(1);
    queue.acknowledge(150); // room for one: 50 + 60
    expect(sent).toEqual(['a1']);
    all(2);
    queue.acknowledge(10);
    queue.acknowledge(60);
    expect(sent).toEqual(['a1', 'b2', 'c2']);
    all(3);
    queue.acknowledge(60);
    queue.acknowledge(60);
    queue.acknowledge(60);
    expect(sent).toEqual(['a1', 'b2', 'c2', 'a3', 'b3', 'c3']);
  });

  it('a session without link keeps one of each, for the next link', () => {
    for (const signal of [100, 101]) set('latest', 0, signal);
    const [one, other] = [open('a'), open('b', 101)];
    queue.isAttached = false;
    for (let n = 0; n < 1000; n += 1) {
      one.event(event(n));
      other.event(event(n));
    }
    expect(sent).toEqual([]);
    expect(released.length).toBe(1998);
    queue.isAttached = true;
    queue.acknowledge(0);
    expect(sent).toEqual(['a999', 'b999']);
  });

  it('a gap from before is told although the event waits', () => {
    set('latest');
    const flow = open('');
    queue.queuedBytes = 200;
    flow.event(event(1));
    flow.gap(undefined);
    queue.acknowledge(200);
    expect(sent).toEqual([' gap undefined', '1']);
  });
});

describe('no more than so many a second', () => {
  it('are the newest of each interval, the last included', async () => {
    set('every', 10);
    const flow = open('');
    for (let n = 0; n < 20; n += 1) {
      flow.event(event(n));
      queue.acknowledge(queue.queuedBytes);
      await clock.advance(10);
    }
    await clock.advance(500);
    expect(sent).toEqual(['0', '9', '19']);
    expect(released.length).toBe(17);
    expect(counts).toEqual({ eventsThinned: 17, eventsMissed: 0 });
  });

  it('one that waits for its time goes at once when the limit is lifted, before those that follow', async () => {
    set('latest', 1);
    const flow = open('');
    flow.event(event(1));
    flow.event(event(2));
    set('every');
    flow.event(event(3));
    await clock.advance(2000);
    expect(sent).toEqual(['1', '2', '3']);
  });
});

describe('demands', () => {
  it('may change while events wait: what waited as the newest goes before the next', () => {
    set('latest');
    const flow = open('');
    queue.queuedBytes = 200;
    flow.event(event(1));
    set('every');
    flow.event(event(2));
    expect(sent).toEqual(['1', '2']);
    queue.acknowledge(320);
    expect(sent).toEqual(['1', '2']);
  });

  it('changed to the newest while some are left out, tell the gap first', () => {
    const flow = open('');
    queue.queuedBytes = BUDGET + 1;
    flow.event(event(1));
    set('latest');
    flow.event(event(2));
    queue.acknowledge(BUDGET);
    expect(sent).toEqual([' gap 1', '2']);
  });

  it('end with the registrations that they were for, and may come before them', () => {
    set('latest');
    const flow = open('');
    flow.close();
    const next = open('');
    queue.queuedBytes = 200;
    next.event(event(1));
    expect(sent).toEqual(['1']);
  });
});

it('what waits is let go of when the registration ends, and nothing follows', async () => {
  set('latest', 5);
  const flow = open('');
  queue.queuedBytes = 200;
  flow.event(event(1)); // waits for room
  flow.event(event(2)); // waits for its time
  flow.close();
  flow.close();
  flow.event(event(3));
  flow.gap(1);
  queue.acknowledge(200);
  await clock.advance(1000);
  await settled();
  expect(sent).toEqual([]);
  expect(released.sort()).toEqual(['1', '2', '3']);
});

it('a session that ends drops what all of its registrations kept', () => {
  set('latest');
  open('').event(event(0));
  const flow = open('b');
  queue.queuedBytes = 200;
  flow.event(event(1));
  open('c', 101).event(event(2));
  queue.queuedBytes = BUDGET + 1;
  open('d', 102).event(event(3));
  flows.close();
  expect(released.sort()).toEqual(['1', '3']);
  expect(queue.waiting).toBe(0);
  queue.acknowledge(BUDGET);
  expect(sent).toEqual(['0', 'c2']);
});
