// Two bodies over one MessagePort, one each way: pieces are sent as far as the reader keeps up, and each body has an end that
// is said. The same on both sides of a request; knows nothing of HTTP.
import type { BodyMessage, PortMessage } from './gateway-messages.ts';

/** Bytes under way that the reader has not done with: enough that a fast reader never waits, little to hold for a slow one. */
const WINDOW_BYTES = 1_048_576;
/** One message: the largest that costs no more a byte than the next smaller one. */
const PIECE_BYTES = 262_144;
/** A sender that keeps to its window leaves less than that to be read. */
const MAX_WAITING_BYTES = 4 * WINDOW_BYTES;
/** A reader that takes nothing for so long is gone: a worker may be ended without a word. */
export const STALLED_MS = 60_000;

/** The part of a MessagePort that is used; Node's has it, too. */
export type RequestPort = Pick<MessagePort, 'postMessage' | 'addEventListener' | 'start' | 'close'>;

export interface BodyPortOptions {
  /** Runs something later; returns how to prevent it. */
  readonly after: (delayMs: number, run: () => void) => () => void;
  /** A body that stays away for so long has broken off, milliseconds; default: never. */
  readonly idleMs?: number;
  /** What is not about bodies. */
  readonly message: (message: Exclude<PortMessage, BodyMessage>) => void;
  /** The reader has done with some of what was sent. */
  readonly progress?: () => void;
  /** The reader wants nothing more, or is gone. At most once. */
  readonly stopped?: () => void;
  /** The other side is gone: the port is closed, or it takes nothing any more. May come twice. */
  readonly broken?: () => void;
}

export class BodyPort {
  readonly #port: RequestPort;
  readonly #options: BodyPortOptions;
  readonly #incoming: Uint8Array[] = [];
  #waitingBytes = 0;
  #incomingState: 'open' | 'ended' | 'failed' | 'left' = 'open';
  #outgoing: AsyncIterator<Uint8Array> | undefined;
  /** Bytes sent that the reader has not done with. */
  #underWay = 0;
  #isStopped = false;
  #wakeReader = (): void => {};
  #wakeSender = (): void => {};
  #stopTimer = (): void => {};

  constructor(port: RequestPort, options: BodyPortOptions) {
    this.#port = port;
    this.#options = options;
    port.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
      if (isPortMessage(data)) this.#take(data);
    });
    port.addEventListener('close' as 'message', () => this.#broken());
    port.start();
  }

  post(message: PortMessage): void {
    this.#port.postMessage(message);
  }

  /** What the other side sends. Whoever stops reading returns it. Fails when it breaks off. */
  readonly incoming: AsyncIterableIterator<Uint8Array> = {
    next: () => this.#next(),
    return: async () => {
      this.#leave();
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]: () => this.incoming,
  };

  /** Sends a body, once; resolves when all is sent or nobody wants it. Never rejects. */
  async send(body: AsyncIterator<Uint8Array>): Promise<void> {
    this.#outgoing = body;
    try {
      for (let next = await body.next(); next.done !== true; next = await body.next()) {
        for (let at = 0; at < next.value.length; at += PIECE_BYTES) {
          while (this.#underWay >= WINDOW_BYTES && !this.#isStopped)
            await new Promise<void>((resolve) => {
              this.#wakeSender = resolve;
            });
          if (this.#isStopped) return;
          this.#sendPiece(next.value.slice(at, at + PIECE_BYTES));
        }
        if (this.#isStopped) return;
      }
      this.post({ kind: 'end' });
    } catch {
      if (!this.#isStopped) this.post({ kind: 'failed' });
    } finally {
      if (this.#isStopped) returnQuietly(body);
    }
  }

  /** Nothing is sent or taken any more. Idempotent. */
  close(): void {
    this.#stop();
    if (this.#incomingState === 'open') this.#incomingState = 'failed';
    this.#wakeReader();
    this.#port.close();
  }

  #sendPiece(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.#underWay === 0) this.#watch();
    this.#underWay += bytes.length;
    this.#port.postMessage({ kind: 'data', bytes } satisfies BodyMessage, [bytes.buffer]);
  }

  #watch(): void {
    this.#stopTimer();
    this.#stopTimer = this.#options.after(STALLED_MS, () => this.#broken());
  }

  #take(message: PortMessage): void {
    switch (message.kind) {
      case 'data':
        if (this.#incomingState !== 'open') return;
        this.#incoming.push(message.bytes);
        this.#waitingBytes += message.bytes.length;
        // It does not wait to be read: nobody could hold what comes.
        if (this.#waitingBytes > MAX_WAITING_BYTES) this.#broken();
        break;
      case 'end':
      case 'failed':
        if (this.#incomingState === 'open') this.#incomingState = message.kind === 'end' ? 'ended' : 'failed';
        break;
      case 'more':
        this.#underWay -= message.bytes;
        if (this.#underWay > 0) this.#watch();
        else this.#stopTimer();
        this.#options.progress?.();
        this.#wakeSender();
        return;
      case 'stop':
        this.#stop();
        return;
      default:
        this.#options.message(message);
        return;
    }
    this.#wakeReader();
  }

  async #next(): Promise<IteratorResult<Uint8Array>> {
    while (this.#incoming.length === 0 && this.#incomingState === 'open') await this.#arrival();
    const bytes = this.#incoming.shift();
    if (bytes !== undefined) {
      this.#waitingBytes -= bytes.length;
      this.post({ kind: 'more', bytes: bytes.length });
      return { done: false, value: bytes };
    }
    if (this.#incomingState === 'failed') throw new Error('The other side broke off.');
    return { done: true, value: undefined };
  }

  #arrival(): Promise<void> {
    const { idleMs, after } = this.#options;
    return new Promise((resolve) => {
      const stopTimer = idleMs === undefined ? (): void => {} : after(idleMs, () => this.#broken());
      this.#wakeReader = (): void => {
        stopTimer();
        resolve();
      };
    });
  }

  #leave(): void {
    if (this.#incomingState !== 'open') return;
    this.#incomingState = 'left';
    this.#drop();
    this.post({ kind: 'stop' });
    this.#wakeReader();
  }

  #drop(): void {
    this.#incoming.length = 0;
    this.#waitingBytes = 0;
  }

  /** The other side is gone. */
  #broken(): void {
    if (this.#incomingState === 'open') this.#incomingState = 'failed';
    if (this.#waitingBytes > MAX_WAITING_BYTES) this.#drop();
    this.#wakeReader();
    this.#stop();
    this.#options.broken?.();
  }

  #stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#stopTimer();
    if (this.#outgoing !== undefined) returnQuietly(this.#outgoing);
    this.#wakeSender();
    this.#options.stopped?.();
  }
}

function returnQuietly(body: AsyncIterator<Uint8Array>): void {
  body.return?.().catch(() => {});
}

/** Whoever speaks is of this origin, and may be broken. What has no form is left out. */
function isPortMessage(data: unknown): data is PortMessage {
  if (typeof data !== 'object' || data === null || !('kind' in data)) return false;
  if (data.kind === 'data') return 'bytes' in data && data.bytes instanceof Uint8Array;
  if (data.kind === 'more') return 'bytes' in data && Number(data.bytes) >= 0;
  return true;
}
