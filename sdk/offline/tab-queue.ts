// A tab's view of the queue that the owner of the link has. Knows a port to it, and no store.
import { NO_OBJECTS, type Payload } from '@qiway/protocol/bus/bus';
import { QiwayError, reviveError } from '@qiway/protocol/errors';
import type { QueuedCall } from '@qiway/protocol/objects/remote';
import { type Remote, transfer, wrap } from 'comlink';
import { takeOutcome } from '../owner/owner-port.ts';
import type { OpenedQueue } from './open-queue.ts';
import type { TabQueueNews, TabQueuePort, TabQueuePorts } from './owned-queue.ts';
import type { QueueChange } from './queue-types.ts';
import { describeArguments } from './waiting-call.ts';

export interface TabQueueOptions {
  /** Gives the owner its ends of the ports. */
  readonly join: (ports: TabQueuePorts) => void;
  readonly onChange: (change: QueueChange) => void;
  readonly onLength: () => void;
  readonly onError: (error: unknown) => void;
}

export interface TabQueue extends OpenedQueue {
  /** The owner is gone: nobody tells what becomes of the calls of this tab, which another owner makes. */
  lost(): void;
  /** There is an owner again. */
  joinAgain(): void;
}

interface Joined {
  readonly owner: Remote<TabQueuePort>;
  readonly ports: TabQueuePorts;
  /** Rejects when the owner is gone. */
  readonly gone: Promise<never>;
  readonly end: (reason: QiwayError) => void;
}

export function openTabQueue(options: TabQueueOptions): TabQueue {
  const { onChange, onLength, onError } = options;
  const { promise: ready, resolve: isReady } = Promise.withResolvers<void>();
  let state = { length: 0, isDurable: false };
  let joined: Joined | undefined;
  let nextKey = 1;
  const hear = ({ length, isDurable, change, complaint }: TabQueueNews): void => {
    state = { length, isDurable };
    isReady();
    onLength();
    if (complaint !== undefined) onError(reviveError(complaint));
    if (change === undefined) return;
    const { error, ...rest } = change;
    onChange({ ...rest, ...(error !== undefined && { error: reviveError(error) }) });
  };
  const join = (): void => {
    joined = joinOwner(options, hear);
  };
  /** @throws `offline` while there is no owner */
  const there = (): Joined => {
    if (joined === undefined)
      throw new QiwayError('offline', 'The worker that keeps calls is being started; try again.');
    return joined;
  };
  const end = (reason: QiwayError): void => {
    joined?.end(reason);
    joined = undefined;
    isReady();
  };
  join();
  return {
    ready,
    get length() {
      return state.length;
    },
    get isDurable() {
      return state.isDurable;
    },
    list: async () => {
      const { owner, gone } = there();
      return Promise.race([owner.list(), gone]);
    },
    cancel: async (id) => {
      const { owner, gone } = there();
      return Promise.race([owner.cancel(id), gone]);
    },
    enqueue: async (call) => {
      const { owner, gone } = there();
      nextKey += 1;
      return enqueueAt(owner, { call, key: nextKey, gone });
    },
    lost: () => end(ownerGone()),
    joinAgain: () => {
      if (joined === undefined) join();
    },
    close: () => end(new QiwayError('closed', 'The robot was closed here; what is stored of the queue still waits.')),
  };
}

function joinOwner({ join }: TabQueueOptions, hear: (news: TabQueueNews) => void): Joined {
  const [asks, news] = [new MessageChannel(), new MessageChannel()];
  const ports = { asks: asks.port1, news: news.port1 };
  ports.news.onmessage = ({ data }: MessageEvent<TabQueueNews>) => hear(data);
  const { promise: gone, reject } = Promise.withResolvers<never>();
  gone.catch(() => {});
  join({ asks: asks.port2, news: news.port2 });
  return {
    owner: wrap<TabQueuePort>(ports.asks),
    ports,
    gone,
    end: (reason) => {
      ports.asks.close();
      ports.news.close();
      reject(reason);
    },
  };
}

interface Enqueued {
  readonly call: QueuedCall;
  readonly key: number;
  readonly gone: Promise<never>;
}

async function enqueueAt(owner: Remote<TabQueuePort>, { call, key, gone }: Enqueued): Promise<Payload> {
  const { args, payload, signal, ...rest } = call;
  if (signal?.aborted === true) throw new QiwayError('canceled', 'The call was cancelled.', { cause: signal.reason });
  const bytes = payload.bytes.slice();
  const sent = {
    ...rest,
    key,
    shownArgs: describeArguments(args),
    signature: payload.signature,
    bytes,
    hasNull: payload.objects !== NO_OBJECTS,
  };
  const abort = (): void => void owner.abort(key).catch(() => {});
  const outcome = owner.enqueue(transfer(sent, [bytes.buffer]));
  outcome.catch(() => {}); // its port was closed
  signal?.addEventListener('abort', abort, { once: true });
  try {
    return { ...takeOutcome(await Promise.race([outcome, gone])), objects: NO_OBJECTS };
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}

function ownerGone(): QiwayError {
  return new QiwayError(
    'result-not-kept',
    'The worker that keeps calls ended: the call still waits, or was made, and what it comes to is not told here. See queue.list().',
    { data: { reason: 'worker gone' }, maybeExecuted: true },
  );
}
