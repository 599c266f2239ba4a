// One call on a remote object as a promise: answer, abort or time-out, whichever comes first. Layer 3.
import {
  type BusObject,
  type CallHandle,
  type CallRequest,
  type Payload,
  type ReplySink,
  releasePayload,
} from '../bus/bus.ts';
import type { Clock } from '../clock.ts';
import { QiwayError } from '../errors.ts';
import type { Deadlines, Expiring } from './deadlines.ts';
import type { CallOptions } from './remote-types.ts';

export interface CallTimes {
  readonly clock: Clock;
  /** For calls that wait the default time. */
  readonly deadlines: Deadlines | undefined;
}

/** Sends the call; the answer goes through `decode`, which takes over its references. */
export function callRemote<T>(
  object: BusObject,
  request: CallRequest,
  how: {
    readonly decode: (payload: Payload) => T;
    readonly times: CallTimes;
    readonly options?: CallOptions | undefined;
  },
): Promise<T> {
  const { signal } = how.options ?? {};
  if (signal?.aborted === true) {
    releasePayload(request.payload);
    return Promise.reject(canceled(false, signal.reason));
  }
  return new Promise<T>((resolve, reject) => {
    const call = new RemoteCall<T>(resolve, reject, how.decode);
    call.start(object.call(request, call), how.times, how.options);
  });
}

function canceled(maybeExecuted: boolean, cause?: unknown): QiwayError<'canceled'> {
  return new QiwayError('canceled', 'The call was cancelled.', { maybeExecuted, cause });
}

class RemoteCall<T> implements ReplySink, Expiring {
  readonly #resolve: (value: T) => void;
  readonly #reject: (error: unknown) => void;
  readonly #decode: (payload: Payload) => T;
  #isOpen = true;
  #handle: CallHandle | undefined;
  /** Undoes what the time-out and the abort signal hold. */
  #detach: (() => void) | undefined;
  deadlineMs = 0;

  constructor(resolve: (value: T) => void, reject: (error: unknown) => void, decode: (payload: Payload) => T) {
    this.#resolve = resolve;
    this.#reject = reject;
    this.#decode = decode;
  }

  start(handle: CallHandle, { clock, deadlines }: CallTimes, options: CallOptions | undefined): void {
    if (!this.#isOpen) return; // answered while it was sent
    this.#handle = handle;
    const { signal, timeoutMs } = options ?? {};
    if (signal === undefined && timeoutMs === undefined) {
      if (deadlines === undefined) return;
      deadlines.add(this);
      this.#detach = () => deadlines.delete(this);
      return;
    }
    if (timeoutMs === undefined) deadlines?.add(this);
    const stopTimer =
      timeoutMs === undefined || timeoutMs <= 0 ? undefined : clock.after(timeoutMs, () => this.expire(timeoutMs));
    const abort = (): void => this.#giveUp(canceled(true, signal?.reason));
    signal?.addEventListener('abort', abort, { once: true });
    this.#detach = () => {
      deadlines?.delete(this);
      stopTimer?.();
      signal?.removeEventListener('abort', abort);
    };
  }

  reply(payload: Payload): void {
    if (!this.#settle()) return releasePayload(payload); // given up on: nobody will read it
    try {
      this.#resolve(this.#decode(payload));
    } catch (cause) {
      this.#reject(
        new QiwayError('wire-invalid', 'The call ran, and its answer cannot be read.', { cause, maybeExecuted: true }),
      );
    }
  }

  error(error: QiwayError): void {
    if (this.#settle()) this.#reject(error);
  }

  canceled(): void {
    if (this.#settle()) this.#reject(canceled(true));
  }

  expire(timeoutMs: number): void {
    this.#giveUp(
      new QiwayError('timeout', `No answer within ${timeoutMs} ms; the robot was asked to stop the call.`, {
        data: { timeoutMs },
        maybeExecuted: true,
      }),
    );
  }

  #giveUp(error: QiwayError): void {
    if (!this.#settle()) return;
    this.#reject(error);
    this.#handle?.cancel();
  }

  #settle(): boolean {
    if (!this.#isOpen) return false;
    this.#isOpen = false;
    this.#detach?.();
    return true;
  }
}
