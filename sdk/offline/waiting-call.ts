// One call in the queue: what is stored of it, who waits for it here, how it is shown. Knows no store and no session.
import { type Payload, releasePayload } from '@qiway/protocol/bus/bus';
import { QiwayError } from '@qiway/protocol/errors';
import type { QueueEntry, StoredCall } from './queue-types.ts';

interface Waiter {
  readonly resolve: (payload: Payload) => void;
  readonly reject: (error: QiwayError) => void;
}

export class WaitingCall {
  /** Its order is 0 until it is stored. */
  stored: StoredCall;
  /** `elsewhere`: another tab is making it. */
  state: 'storing' | 'waiting' | 'sending' | 'elsewhere' | 'over' = 'waiting';
  /** It is in the store that outlives the page. */
  isDurable = false;
  /** Stops the attempt that is under way here. */
  stop: (() => void) | undefined;
  readonly #waiters = new Set<Waiter>();

  constructor(stored: StoredCall) {
    this.stored = stored;
  }

  get isWaiting(): boolean {
    return this.state === 'waiting' || this.state === 'storing';
  }

  get expiresAtMs(): number {
    return this.stored.queuedAtMs + this.stored.ttlMs;
  }

  /** Bytes that count for the bound. */
  get size(): number {
    return this.stored.bytes.length + this.stored.args.length;
  }

  get hasWaiters(): boolean {
    return this.#waiters.size > 0;
  }

  get entry(): QueueEntry {
    const { id, service, method, memberClass, args, queuedAtMs } = this.stored;
    return {
      id,
      service,
      method,
      class: memberClass ?? 'unknown',
      args,
      queuedAt: new Date(queuedAtMs),
      expiresAt: new Date(this.expiresAtMs),
      state: this.isWaiting ? 'waiting' : 'sending',
    };
  }

  /** The outcome, for one more who waits. */
  wait(): Promise<Payload> {
    return new Promise((resolve, reject) => this.#waiters.add({ resolve, reject }));
  }

  /** Takes over the payload. */
  resolve(payload: Payload): void {
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const { resolve } of waiters) {
      for (const object of payload.objects) object.retain();
      resolve(payload);
    }
    releasePayload(payload);
  }

  reject(error: QiwayError): void {
    for (const { reject } of this.#waiters) reject(error);
    this.#waiters.clear();
  }

  /** The same error, honest about whether this call may have run. */
  failed(code: 'expired' | 'superseded' | 'canceled' | 'closed', sentence: string): QiwayError {
    const { service, method, ttlMs, wasSent } = this.stored;
    const maybeExecuted = wasSent;
    const words = `${service}.${method} ${sentence}${wasSent ? ' It was sent once, and may have run.' : ''}`;
    if (code === 'expired') return new QiwayError(code, words, { data: { ttlMs }, maybeExecuted });
    return new QiwayError(code, words, { maybeExecuted });
  }
}

const MAX_SHOWN = 200;

/** Arguments for people: JSON, shortened. */
export function describeArguments(args: readonly unknown[]): string {
  const show = (_: string, value: unknown): unknown => {
    if (value instanceof Uint8Array) return `<${value.length} bytes>`;
    if (value instanceof Map) return Object.fromEntries(value);
    return typeof value === 'bigint' ? String(value) : value;
  };
  try {
    const text = args.map((each) => JSON.stringify(each, show) ?? String(each)).join(', ');
    return text.length <= MAX_SHOWN ? text : `${text.slice(0, MAX_SHOWN - 1)}…`;
  } catch {
    return '…';
  }
}
