// The calls that wait for the robot, as the console shows them.
import { QiwayError } from '@qiway/protocol/errors';
import type { QueueChange, QueueEntry, RobotQueue } from '@qiway/sdk';
import { beforeEach, describe, expect, it } from 'vitest';
import { createWaiting, type Waiting } from '../../web-demo/robot/waiting.ts';
import { settled } from '../support/virtual-clock.ts';

const entry = (id: string): QueueEntry => ({
  id,
  service: 'ALTextToSpeech',
  method: 'say::(s)',
  class: 'once',
  args: `"${id}"`,
  queuedAt: new Date(0),
  expiresAt: new Date(60_000),
  state: 'waiting',
});

/** As much of a queue as is looked at. */
class FakeQueue implements Pick<RobotQueue, 'list' | 'cancel' | 'onChange'> {
  readonly canceled: string[] = [];
  entries: QueueEntry[] = [];
  listeners = new Set<(change: QueueChange) => void>();

  async list(): Promise<QueueEntry[]> {
    return [...this.entries];
  }

  async cancel(id: string): Promise<boolean> {
    this.canceled.push(id);
    return true;
  }

  onChange(listener: (change: QueueChange) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  async change(kind: QueueChange['kind'], id: string, error?: QiwayError): Promise<void> {
    if (kind === 'queued') this.entries.push(entry(id));
    else this.entries = this.entries.filter((one) => one.id !== id);
    for (const listener of this.listeners) listener({ kind, entry: entry(id), ...(error !== undefined && { error }) });
    await settled();
  }
}

const asQueue = (fake: FakeQueue): RobotQueue => fake as unknown as RobotQueue;
let told: string[];
let waiting: Waiting;
let queue: FakeQueue;
beforeEach(() => {
  told = [];
  waiting = createWaiting({ tell: (kind, text) => told.push(`${kind}: ${text}`) });
  queue = new FakeQueue();
});
const ids = (): string[] => waiting.entries.value.map(({ id }) => id);

describe('calls that wait', () => {
  it('are those that an earlier load of the page left, too', async () => {
    queue.entries = [entry('old')];
    waiting.follow(asQueue(queue));
    await settled();
    expect(ids()).toEqual(['old']);
  });

  it('are told of when they come, and once for all when they were made', async () => {
    waiting.follow(asQueue(queue));
    await queue.change('queued', 'a');
    await queue.change('queued', 'b');
    expect(ids()).toEqual(['a', 'b']);
    await queue.change('done', 'a');
    expect(told.filter((text) => text.startsWith('flushed'))).toEqual([]);
    await queue.change('done', 'b');
    expect([ids(), told.at(-1)]).toEqual([[], 'flushed: All 2 calls that waited were made.']);
    await queue.change('queued', 'c');
    await queue.change('done', 'c');
    expect(told.at(-1)).toBe('flushed: The call that waited was made.');
  });

  it('that were not made are told with the reason', async () => {
    waiting.follow(asQueue(queue));
    for (const id of ['a', 'b', 'c']) await queue.change('queued', id);
    await queue.change('expired', 'a');
    expect(told.at(-1)).toBe('dropped: ALTextToSpeech.say("a") waited too long and was not made.');
    await queue.change('canceled', 'b');
    expect(told.at(-1)).toContain('taken back');
    await queue.change('failed', 'c', new QiwayError('service-gone', 'it left'));
    expect(told.at(-1)).toBe('dropped: ALTextToSpeech.say("c") failed. It left.');
  });

  it('can be taken back', async () => {
    waiting.follow(asQueue(queue));
    await waiting.cancel('a');
    expect(queue.canceled).toEqual(['a']);
  });

  it('of the robot before are no longer shown, nor listened to', async () => {
    queue.entries = [entry('old')];
    waiting.follow(asQueue(queue));
    await settled();
    const next = new FakeQueue();
    waiting.follow(asQueue(next));
    expect([ids(), queue.listeners.size]).toEqual([[], 0]);
    await next.change('queued', 'new');
    expect(ids()).toEqual(['new']);
    waiting.follow(undefined);
    expect([ids(), next.listeners.size]).toEqual([[], 0]);
  });
});
