// The queue of a robot as the app sees it: there at once, while what does the work is loaded in the background. Knows a port
// to the session, nothing of stores.
import type { Payload } from '@qiway/protocol/bus/bus';
import { QiwayError } from '@qiway/protocol/errors';
import type { QueuedCall } from '@qiway/protocol/objects/remote';
import type { EventIterator } from '@qiway/protocol/objects/remote-types';
import { lazyPart, needed, type Part } from '@qiway/protocol/part';
import { Listeners } from '../listeners.ts';
import type { OpenedQueue } from './open-queue.ts';
import type { QueueChange, QueueEntry, RobotQueueOptions } from './queue-types.ts';

/** Opens the queue where another keeps it than this program. */
export type QueueOpener = (
  options: RobotQueueOptions & { readonly onChange: (change: QueueChange) => void },
) => Promise<OpenedQueue>;

type QueuePart = typeof import('./open-queue.ts');

/** The queue, and what says which calls may wait in it. */
export const queuePart: Part<QueuePart> = lazyPart(() => import('./open-queue.ts'));

/** Calls of an app that wait for the robot: see `offline` of {@link CallOptions}. */
export interface RobotQueue {
  /** Calls that wait, or are being made. */
  readonly length: number;
  /** Do they survive a reload of the page? In Node, and where the browser has no store, they do not. */
  readonly isDurable: boolean;
  /** In the order in which they were made. */
  list(): Promise<QueueEntry[]>;
  /** Takes a call out, or asks one under way to stop; false when there is none of that id here. It rejects with `canceled`. */
  cancel(id: string): Promise<boolean>;
  /** Calls `listener` with what becomes of calls, those of earlier loads of the page too; returns how to stop. */
  onChange(listener: (change: QueueChange) => void): () => void;
  /** What becomes of calls, until the robot is closed. */
  changes(): EventIterator<QueueChange>;
}

/** The queue, with what only the robot itself uses of it. */
export class LazyQueue implements RobotQueue {
  readonly #options: RobotQueueOptions & { readonly open?: QueueOpener };
  readonly #listeners: Listeners<QueueChange>;
  #opening: Promise<OpenedQueue> | undefined;
  #opened: OpenedQueue | undefined;
  #isClosed = false;
  #length = 0;

  constructor(options: RobotQueueOptions & { readonly open?: QueueOpener }) {
    this.#options = options;
    this.#listeners = new Listeners(options.onError);
    // An earlier load of the page may have left calls; and once the robot is away, nothing can be loaded from it.
    if (typeof indexedDB !== 'undefined') this.#open().catch(() => {});
  }

  get length(): number {
    return this.#length;
  }

  get isDurable(): boolean {
    return this.#opened?.isDurable ?? false;
  }

  async list(): Promise<QueueEntry[]> {
    return (await this.#open()).list();
  }

  async cancel(id: string): Promise<boolean> {
    return (await this.#open()).cancel(id);
  }

  onChange(listener: (change: QueueChange) => void): () => void {
    return this.#listeners.add(listener);
  }

  changes(): EventIterator<QueueChange> {
    return this.#listeners.read();
  }

  async enqueue(call: QueuedCall): Promise<Payload> {
    // Calls wait for the queue in their order: each asks for the same promise.
    return (await this.#open()).enqueue(call);
  }

  /** The robot was closed. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#opened?.close();
    this.#listeners.close();
  }

  /** @throws `closed`; `unsupported` when the part cannot be loaded */
  #open(): Promise<OpenedQueue> {
    this.#opening ??= this.#load().catch((error) => {
      this.#opening = undefined; // the next call tries again
      throw error;
    });
    return this.#opening;
  }

  async #load(): Promise<OpenedQueue> {
    const { open } = this.#options;
    // Kept elsewhere, it is not waited for; but the first call that waits needs it when its server may be gone.
    const loading = queuePart.load();
    if (open === undefined) await loading;
    if (this.#isClosed) throw closed();
    const options = { ...this.#options, onChange: (change: QueueChange) => this.#tell(change) };
    // Changes of its own come with a length; what opens it elsewhere tells it.
    const elsewhere = { ...options, onLength: () => this.#countAgain() };
    const opened = await (open === undefined ? needed(queuePart.here).openQueue(options) : open(elsewhere));
    if (this.#isClosed) {
      opened.close();
      throw closed();
    }
    this.#opened = opened;
    await opened.ready;
    this.#countAgain();
    return opened;
  }

  #countAgain(): void {
    const length = this.#opened?.length ?? 0;
    if (length === this.#length || this.#isClosed) return;
    this.#length = length;
    this.#options.onLength();
  }

  #tell(change: QueueChange): void {
    this.#countAgain();
    this.#listeners.tell(change);
  }
}

function closed(): QiwayError {
  return new QiwayError('closed', 'The robot was closed; connect again.');
}
