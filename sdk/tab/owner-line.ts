// A tab's line to the owner of its link: the worker found or started, greeted, and told apart when it is gone. Knows no robot.
import type { Clock } from '@qiway/protocol/clock';
import { QiwayError } from '@qiway/protocol/errors';
import { toHex } from '@qiway/protocol/hex';
import { within } from '@qiway/protocol/within';
import { type Remote, wrap } from 'comlink';
import { OWNER_PROTOCOL, type OwnerPort } from '../owner/owner-port.ts';
import { startWorker } from '../owner/start-worker.ts';
import type { WorkerChoice } from '../owner/worker-choice.ts';
import { type HeldLock, holdLock, whenFree } from './tab-life.ts';

export interface OwnerLine {
  readonly owner: Remote<OwnerPort>;
  /** Closed with the line. */
  readonly ports: MessagePort[];
  /** Tells the owner that this tab goes. Idempotent. */
  end(): void;
}

export interface OwnerLineOptions {
  readonly worker: Exclude<WorkerChoice, false> | undefined;
  readonly clock: Clock;
  /** The owner is gone; the line is to be made anew. */
  readonly onGone: () => void;
}

/** For the worker's file to be fetched and to answer. */
const TIMEOUT_MS = 5_000;

/** @throws `unsupported` where there is no such worker: the page then owns its link itself */
export async function openOwnerLine({ worker: choice, clock, onGone }: OwnerLineOptions): Promise<OwnerLine> {
  const { locks } = navigator as { readonly locks?: LockManager };
  const worker = startWorker(choice);
  const failed = new Promise<never>((_, reject) => {
    worker.addEventListener('error', () => reject(noWorker('its file could not be loaded')), { once: true });
  });
  failed.catch(() => {});
  const { port } = worker;
  const owner = wrap<OwnerPort>(port);
  const ports: MessagePort[] = [];
  let lock: HeldLock | undefined;
  let stopWaiting = (): void => {};
  let isEnded = false;
  const end = (): void => {
    if (isEnded) return;
    isEnded = true;
    stopWaiting();
    void owner.leave();
    // Nothing may come any more: a page that is sent something falls out of the back/forward cache.
    for (const each of [port, ...ports]) each.close();
    lock?.release();
  };
  const gone = (): void => {
    if (isEnded) return;
    end();
    onGone();
  };
  try {
    if (locks !== undefined)
      lock = await holdLock(locks, `qiway-tab ${toHex(crypto.getRandomValues(new Uint8Array(16)))}`);
    const hello = owner.hello({ protocol: OWNER_PROTOCOL, ...(lock !== undefined && { lock: lock.name }) });
    const limit = { clock, timeoutMs: TIMEOUT_MS };
    const greeting = await within(Promise.race([hello, failed]), limit, 'The SharedWorker did not answer');
    if (greeting.protocol !== OWNER_PROTOCOL) throw noWorker('it is of another version');
    if (locks !== undefined && greeting.lock !== undefined) stopWaiting = whenFree(locks, greeting.lock, gone);
    port.addEventListener('close', gone);
  } catch (error) {
    end();
    throw error;
  }
  return { owner, ports, end };
}

function noWorker(reason: string): QiwayError {
  return new QiwayError('unsupported', `The SharedWorker cannot be used: ${reason}.`, {
    data: { what: 'SharedWorker' },
  });
}
