// The calls that wait for the robot, as they are shown. Layer: robot; no DOM.
import { type ReadonlySignal, signal } from '@preact/signals';
import type { QueueChange, QueueEntry, RobotQueue } from '@qiway/sdk';
import { failureText } from '../failure-text.ts';
import { callText } from './status-words.ts';

export interface Waiting {
  /** In the order in which they are made. */
  readonly entries: ReadonlySignal<readonly QueueEntry[]>;
  cancel(id: string): Promise<unknown>;
  /** Follows the queue of another robot; undefined: none at the moment. */
  follow(queue: RobotQueue | undefined): void;
}

export interface WaitingOptions {
  /** What is worth a place in the history. */
  readonly tell: (kind: 'queued' | 'flushed' | 'dropped', text: string) => void;
}

export function createWaiting({ tell }: WaitingOptions): Waiting {
  const entries = signal<readonly QueueEntry[]>([]);
  let current: RobotQueue | undefined;
  let stop = (): void => undefined;
  /** Made since the queue was empty last. */
  let made = 0;

  function refresh(queue: RobotQueue): void {
    queue.list().then(
      (listed) => {
        if (queue !== current) return;
        entries.value = listed;
        if (listed.length > 0 || made === 0) return;
        tell('flushed', made === 1 ? 'The call that waited was made.' : `All ${made} calls that waited were made.`);
        made = 0;
      },
      // The robot was closed, or the queue cannot be loaded: then nothing waits here.
      () => undefined,
    );
  }

  function take(queue: RobotQueue, { kind, entry, error }: QueueChange): void {
    const what = callText(entry);
    if (kind === 'queued') tell('queued', `${what} waits for the robot.`);
    if (kind === 'done') made += 1;
    if (kind === 'expired') tell('dropped', `${what} waited too long and was not made.`);
    if (kind === 'canceled') tell('dropped', `${what} was taken back.`);
    if (kind === 'failed') tell('dropped', `${what} failed. ${error === undefined ? '' : failureText(error)}`.trim());
    refresh(queue);
  }

  return {
    entries,
    async cancel(id) {
      await current?.cancel(id);
    },
    follow(queue) {
      if (queue === current) return;
      stop();
      stop = () => undefined;
      current = queue;
      made = 0;
      entries.value = [];
      if (queue === undefined) return;
      stop = queue.onChange((change) => take(queue, change));
      refresh(queue);
    },
  };
}
