// One call under way on a hosted object: runs the function, takes its outcome to the sink, asks it to stop. Layer 3.
import type { CallHandle, Payload, ReplySink } from '../bus/bus.ts';
import { errorText } from '../bus/encode-error.ts';
import { asQiwayError, isQiwayError, ofCallUnderWay, type QiwayError } from '../errors.ts';
import { callFailed } from './call-failed.ts';
import type { CallContext, MethodMember } from './members.ts';

/** Codes that a method means for its caller; any other (a link it lost itself, say) would mislead, and goes as words. */
const SAID_ON_PURPOSE: ReadonlySet<string> = new Set([
  'call-failed',
  'invalid-argument',
  'service-not-found',
  'service-name-taken',
  'limit-exceeded',
  'forbidden',
  'lease-held',
  'unsupported',
]);

/** Whatever an implementation threw, as the caller is told: the words, whoever said them. */
export function failureOf(thrown: unknown, member?: MethodMember): QiwayError {
  if (member?.isRelay === true && isQiwayError(thrown)) return thrown;
  // The method has begun: whoever repeats calls that never reached the robot must not repeat this one.
  if (isQiwayError(thrown) && thrown.code === 'bus-down')
    return member?.isQuestion === true ? thrown : ofCallUnderWay(thrown);
  if (isQiwayError(thrown) && SAID_ON_PURPOSE.has(thrown.code)) return thrown;
  if (isQiwayError(thrown))
    return thrown.code === 'wire-invalid'
      ? callFailed('ISerialization error Status Read Past End')
      : callFailed(errorText(thrown));
  return callFailed(thrown instanceof Error ? thrown.message : String(thrown));
}

export class ActiveCall implements CallHandle {
  readonly #sink: ReplySink;
  readonly #encode: (value: unknown) => Payload;
  #stops: (() => void)[] | undefined;
  #member: MethodMember | undefined;
  #state: 'running' | 'asked-to-stop' | 'done' = 'running';

  constructor(sink: ReplySink, encode: (value: unknown) => Payload) {
    this.#sink = sink;
    this.#encode = encode;
  }

  run(member: MethodMember, args: readonly unknown[], caller: object | undefined): void {
    const { run, isPlain } = member;
    this.#member = member;
    const body = run as (...args: unknown[]) => unknown;
    try {
      const context: CallContext = { onCancel: (stop) => this.#onCancel(stop), caller };
      const result = isPlain === true ? body(...args) : body(...args, context);
      if (isThenable(result))
        result.then(
          (value) => this.#reply(value),
          (error: unknown) => this.#fail(error),
        );
      else this.#reply(result);
    } catch (error) {
      this.#fail(error);
    }
  }

  cancel(): void {
    if (this.#state !== 'running') return;
    this.#state = 'asked-to-stop';
    for (const stop of this.#stops ?? []) this.#ask(stop);
  }

  #onCancel(stop: () => void): void {
    this.#stops ??= [];
    this.#stops.push(stop);
    if (this.#state === 'asked-to-stop') this.#ask(stop);
  }

  #ask(stop: () => void): void {
    try {
      stop();
    } catch (error) {
      this.#fail(error);
    }
  }

  #reply(value: unknown): void {
    if (this.#state === 'done') return;
    let payload: Payload;
    try {
      payload = this.#encode(value);
    } catch (error) {
      this.#state = 'done';
      return this.#sink.error(
        callFailed(`The method returned what it does not declare: ${asQiwayError(error).message}`),
      );
    }
    this.#state = 'done';
    this.#sink.reply(payload);
  }

  #fail(error: unknown): void {
    if (this.#state === 'done') return;
    const isStopped =
      this.#state === 'asked-to-stop' && this.#stops !== undefined && isQiwayError(error) && error.code === 'canceled';
    this.#state = 'done';
    if (isStopped) this.#sink.canceled();
    else this.#sink.error(failureOf(error, this.#member));
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
