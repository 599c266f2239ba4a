// The messages of one handshake on a transport: asked for one by one, each in bounded time and size. What arrives after it
// goes to whoever comes next. Beside layer 5; knows not what the messages say.
import type { Clock } from '../clock.ts';
import { asQiwayError, type HandshakeFault, isQiwayError, overLimit, QiwayError } from '../errors.ts';
import type { CloseCode, Transport, TransportListener } from '../session/transport.ts';

/** Section 2 of docs/link-protocol.md; with proof and hello a message has some 500 bytes. */
const MAX_HANDSHAKE_BYTES = 4096;
/** What an honest side sends unasked while the other still computes: a welcome and the batches of a resume. */
const MAX_KEPT_BYTES = 4 * 1024 * 1024;
/** The other side does not know our static key for its own any more (section 9). */
const STATIC_KEY_UNKNOWN = 4409;

interface Ended {
  readonly reason: string;
  readonly code: number | undefined;
}

export class Exchange {
  readonly #transport: Transport;
  readonly #clock: Clock;
  readonly #kept: Uint8Array[] = [];
  #keptBytes = 0;
  #ended: Ended | undefined;
  /** Looks again at what is there, while somebody waits. */
  #look: (() => void) | undefined;
  #next: TransportListener | undefined;

  /** Must be made in the turn in which the transport was obtained: it is listened to at once. */
  constructor(transport: Transport, clock: Clock) {
    this.#transport = transport;
    this.#clock = clock;
    transport.listen({
      message: (bytes) => (this.#next === undefined ? this.#keep(bytes) : this.#next.message(bytes)),
      drain: () => this.#next?.drain(),
      close: (reason, code) =>
        this.#next === undefined ? this.#end({ reason, code }) : this.#next.close(reason, code),
    });
  }

  /** The next message. @throws `timeout`, `limit-exceeded`; `handshake-failed` when the transport closed */
  next(timeoutMs: number): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const done = (): void => {
        this.#look = undefined;
        stopTimer();
      };
      const stopTimer = this.#clock.after(Math.max(0, timeoutMs), () => {
        done();
        reject(tooLate(timeoutMs));
      });
      this.#look = () => {
        const message = this.#kept.shift();
        if (message === undefined && this.#ended === undefined) return;
        done();
        if (message === undefined) return reject(brokenOff(this.#ended as Ended));
        this.#keptBytes -= message.length;
        if (message.length <= MAX_HANDSHAKE_BYTES) resolve(message);
        else reject(tooLong('handshakeBytes', MAX_HANDSHAKE_BYTES));
      };
      this.#look();
    });
  }

  /** Sends a message of ours. @throws `limit-exceeded` */
  send(message: Uint8Array): void {
    if (message.length > MAX_HANDSHAKE_BYTES) throw tooLong('handshakeBytes', MAX_HANDSHAKE_BYTES);
    this.#transport.send(message);
  }

  /** From here on `listener` is told everything, first what arrived since the last message that was asked for. */
  handOver(listener: TransportListener): void {
    this.#next = listener;
    for (const message of this.#kept.splice(0)) listener.message(message);
    if (this.#ended !== undefined) listener.close(this.#ended.reason, this.#ended.code);
  }

  #keep(bytes: Uint8Array): void {
    if (this.#ended !== undefined) return;
    this.#keptBytes += bytes.length;
    if (this.#keptBytes > MAX_KEPT_BYTES) {
      const reason = 'more messages than a handshake has';
      this.#transport.close(4413, reason);
      return this.#end({ reason, code: 4413 });
    }
    this.#kept.push(bytes);
    this.#look?.();
  }

  #end(ended: Ended): void {
    this.#ended ??= ended;
    this.#look?.();
  }
}

/** How a transport is closed whose handshake failed so. */
export function closeCode(error: unknown): CloseCode {
  if (faultOf(error) === 'static-key-unknown') return STATIC_KEY_UNKNOWN;
  const { code } = asQiwayError(error);
  return code === 'robot-identity-mismatch'
    ? 4401
    : code === 'timeout'
      ? 4408
      : code === 'limit-exceeded'
        ? 4413
        : 4400;
}

/** What was wrong, where the handshake itself was. */
export function faultOf(error: unknown): HandshakeFault | undefined {
  return isQiwayError(error) && error.code === 'handshake-failed'
    ? (error.data as { readonly reason?: HandshakeFault }).reason
    : undefined;
}

function tooLate(timeoutMs: number): QiwayError {
  const roundMs = Math.ceil(timeoutMs);
  return new QiwayError('timeout', `The other side did not answer in the handshake within ${roundMs} ms; try again.`, {
    data: { timeoutMs: roundMs },
  });
}

function tooLong(limit: string, maximum: number): QiwayError {
  return overLimit(`A message of the handshake is longer than ${maximum} bytes.`, { limit, maximum });
}

function brokenOff({ reason, code }: Ended): QiwayError {
  return code === STATIC_KEY_UNKNOWN
    ? new QiwayError(
        'handshake-failed',
        'The agent has another static key by now; begin anew on another link without the one that was known.',
        { data: { reason: 'static-key-unknown' } },
      )
    : new QiwayError('handshake-failed', `The other side ended the link in the handshake: ${reason}.`, {
        data: { reason: 'closed' },
      });
}
