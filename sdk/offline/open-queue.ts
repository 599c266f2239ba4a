// The queue put together with what the platform offers: a store, locks, a channel to other tabs. Loaded on demand.
import type { Payload } from '@qiway/protocol/bus/bus';
import { toHex } from '@qiway/protocol/hex';
import type { QueuedCall } from '@qiway/protocol/objects/remote';
import { flushTurn } from './flush-turn.ts';
import { indexedDbQueue } from './indexed-db-queue.ts';
import { callMaker } from './make-call.ts';
import { OfflineQueue } from './offline-queue.ts';
import type { QueueNews } from './queue-news.ts';
import type { QueueChange, QueueEntry, RobotQueueOptions } from './queue-types.ts';

export { callQueued } from '@qiway/protocol/objects/queued-call';

export interface OpenedQueue {
  /** Resolves when what was stored is read. Never rejects. */
  readonly ready: Promise<void>;
  readonly length: number;
  readonly isDurable: boolean;
  list(): QueueEntry[] | Promise<QueueEntry[]>;
  cancel(id: string): boolean | Promise<boolean>;
  enqueue(call: QueuedCall): Promise<Payload>;
  close(): void;
}

export function openQueue(
  options: RobotQueueOptions & { readonly onChange: (change: QueueChange) => void },
): OpenedQueue {
  const { robotId, port, clock, onError, onChange } = options;
  const name = `qiway-queue ${robotId}`;
  const store = typeof indexedDB === 'undefined' ? undefined : indexedDbQueue();
  const channel =
    store === undefined || typeof BroadcastChannel === 'undefined' ? undefined : new BroadcastChannel(name);
  const newId = (): string => toHex(crypto.getRandomValues(new Uint8Array(16)));
  const today = (): number => Date.now();
  // Not on pages from http://robot-ip, whatever the types say.
  const { locks } = (globalThis.navigator ?? {}) as { readonly locks?: LockManager };
  let isClosed = false;
  const queue = new OfflineQueue({
    robotId,
    port,
    maker: callMaker(port, clock),
    turn: flushTurn({ name, clock, today, owner: newId(), locks, store: () => store }),
    store,
    clock,
    today,
    newId,
    tell: (news) => {
      if (!isClosed) channel?.postMessage(news);
    },
    onChange,
    onError,
  });
  if (channel !== undefined) channel.onmessage = ({ data }: MessageEvent<QueueNews>) => queue.hear(data);
  // A page in the back/forward cache keeps its locks although nothing of it runs.
  const suspend = (): void => queue.suspend();
  const resume = (): void => queue.resume();
  if (store !== undefined) {
    globalThis.addEventListener('pagehide', suspend);
    globalThis.addEventListener('pageshow', resume);
  }
  return {
    ready: queue.open(),
    get length() {
      return queue.length;
    },
    get isDurable() {
      return queue.isDurable;
    },
    list: () => queue.list(),
    cancel: (id) => queue.cancel(id),
    enqueue: (call) => queue.enqueue(call),
    close: () => {
      queue.close();
      isClosed = true;
      channel?.close();
      globalThis.removeEventListener?.('pagehide', suspend);
      globalThis.removeEventListener?.('pageshow', resume);
    },
  };
}
