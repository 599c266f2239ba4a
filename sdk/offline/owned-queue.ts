// The queue of a robot at the owner of its link: one for all tabs. A tab that dies leaves what it queued. See docs/browser.md.
// Knows ports of tabs, no worker.
import { NO_OBJECTS, type Payload, releasePayload } from '@qiway/protocol/bus/bus';
import type { Clock } from '@qiway/protocol/clock';
import { asQiwayError, type ErrorRecord, QiwayError } from '@qiway/protocol/errors';
import type { QueuedCall } from '@qiway/protocol/objects/remote';
import { expose } from 'comlink';
import type { RobotSession } from '../dial/dial.ts';
import { type Commands, guardCommands } from '../owner/control-guard.ts';
import { type Outcome, recordOf } from '../owner/owner-port.ts';
import { type OpenedQueue, openQueue } from './open-queue.ts';
import type { QueueChange, QueueEntry } from './queue-types.ts';
import { sessionPort } from './session-port.ts';

/** A call of a tab. `key` names it there. */
export interface SentCall extends Omit<QueuedCall, 'args' | 'signal' | 'payload'> {
  readonly key: number;
  /** The arguments for people. */
  readonly shownArgs: string;
  readonly signature: string;
  readonly bytes: Uint8Array;
  readonly hasNull: boolean;
}

/** What a tab says, with comlink. */
export interface TabQueuePort {
  list(): Promise<QueueEntry[]>;
  cancel(id: string): Promise<boolean>;
  enqueue(call: SentCall): Promise<Outcome<Pick<Payload, 'signature' | 'bytes'>>>;
  /** The tab does not want the call of this key any more. */
  abort(key: number): void;
}

/** What a tab is told. */
export interface TabQueueNews {
  readonly length: number;
  readonly isDurable: boolean;
  readonly change?: Omit<QueueChange, 'error'> & { readonly error?: ErrorRecord };
  /** Why calls cannot be stored, and the like. */
  readonly complaint?: ErrorRecord;
}

/** The two ports of a tab: what it asks, and what it is told. */
export interface TabQueuePorts {
  readonly asks: MessagePort;
  readonly news: MessagePort;
}

const QUEUE_COMMANDS: Commands<TabQueuePort> = { list: [], cancel: ['any'], enqueue: ['any'], abort: ['any'] };

export interface OwnedQueue {
  /** Takes the ports over; returns how to end, which leaves what was queued. */
  serve(ports: TabQueuePorts): () => void;
  close(): void;
}

export function openOwnedQueue(session: RobotSession, clock: Clock): OwnedQueue {
  const tabs = new Set<MessagePort>();
  const tell = (news: Omit<TabQueueNews, 'length' | 'isDurable'>): void => {
    for (const tab of tabs) tellTab(tab, { ...news, ...stateOf(queue) });
  };
  const queue: OpenedQueue = openQueue({
    robotId: session.robotId,
    port: sessionPort(session),
    clock,
    onError: (error) => tell({ complaint: recordOf(asQiwayError(error)) }),
    onLength: () => {},
    onChange: ({ error, ...change }) =>
      tell({ change: { ...change, ...(error !== undefined && { error: recordOf(error) }) } }),
  });
  return {
    serve: ({ asks, news }) => {
      guardCommands(asks, QUEUE_COMMANDS);
      expose(servedTab(queue), asks);
      tabs.add(news);
      void queue.ready.then(() => tabs.has(news) && tellTab(news, stateOf(queue)));
      return () => {
        tabs.delete(news);
        asks.close();
        news.close();
      };
    },
    close: () => {
      queue.close();
      tabs.clear();
    },
  };
}

function servedTab(queue: OpenedQueue): TabQueuePort {
  const aborts = new Map<number, AbortController>();
  return {
    list: async () => {
      await queue.ready;
      return queue.list();
    },
    cancel: async (id) => {
      await queue.ready;
      return queue.cancel(id);
    },
    enqueue: async ({ key, signature, bytes, hasNull, ...call }) => {
      const abort = new AbortController();
      aborts.set(key, abort);
      try {
        await queue.ready; // calls wait for it in their order
        const payload = { signature, bytes, objects: hasNull ? [] : NO_OBJECTS };
        const result = await queue.enqueue({ ...call, args: [], payload, signal: abort.signal });
        const count = result.objects.length;
        releasePayload(result);
        if (count > 0) throw holdsObjects(call);
        return { value: { signature: result.signature, bytes: result.bytes } };
      } catch (error) {
        return { error: recordOf(asQiwayError(error)) };
      } finally {
        aborts.delete(key);
      }
    },
    abort: (key) => aborts.get(key)?.abort(),
  };
}

function stateOf({ length, isDurable }: OpenedQueue): Pick<TabQueueNews, 'length' | 'isDurable'> {
  return { length, isDurable };
}

function tellTab(tab: MessagePort, news: TabQueueNews): void {
  try {
    tab.postMessage(news);
  } catch {
    const { change, ...rest } = news; // a result that cannot be shown there
    if (change === undefined) return;
    const { result: _, ...shown } = change;
    tab.postMessage({ ...rest, change: shown });
  }
}

function holdsObjects({ service, method }: Pick<QueuedCall, 'service' | 'method'>): QiwayError {
  return new QiwayError(
    'result-not-kept',
    `${service}.${method} ran, and returned an object, which is not handed from the worker to the page. Call it without offline.`,
    { data: { reason: 'object' }, maybeExecuted: true },
  );
}
