// Calls that wait for the robot's bus, because their caller asked for it. Layer 3; loaded when the first of them is made.
import { isQiwayError, QiwayError } from '../errors.ts';
import { refuseMotion } from './queued-call.ts';
import type { Remote } from './remote.ts';
import type { CallOptions } from './remote-types.ts';

/** Between attempts when nothing tells that the bus is back, ms. */
const ATTEMPT_MS = 500;

/**
 * Makes the call again as long as it fails with `bus-down` and certainly has not run: when the bus is back, and twice a
 * second.
 * @throws `forbidden` for methods that move the robot; `timeout` when the bus did not come back; what the call throws
 */
export async function callWhenUp<T>(
  remote: Remote,
  call: (options: CallOptions) => Promise<T>,
  { name, options }: { readonly name: string; readonly options: CallOptions },
): Promise<T> {
  const { times } = remote;
  refuseMotion(remote, name);
  const { clock, deadlines } = times;
  const timeoutMs = options.timeoutMs ?? deadlines?.timeoutMs ?? 0;
  const beganMs = clock.now();
  let cause: unknown;
  for (;;) {
    const leftMs = timeoutMs <= 0 ? Number.POSITIVE_INFINITY : timeoutMs - (clock.now() - beganMs);
    if (leftMs <= 0)
      throw new QiwayError('timeout', `The robot's bus did not come back within ${timeoutMs} ms; nothing was called.`, {
        data: { timeoutMs },
        cause,
      });
    try {
      return await call({ ...options, whenBusDown: 'fail', timeoutMs: timeoutMs <= 0 ? 0 : Math.ceil(leftMs) });
    } catch (error) {
      if (!isQiwayError(error) || error.code !== 'bus-down' || error.maybeExecuted) throw error;
      cause = error;
    }
    await pause(remote, { delayMs: Math.min(ATTEMPT_MS, leftMs), signal: options.signal });
  }
}

/** Ends early when the bus is back, and when the caller wants no more: the next attempt says so. */
function pause(
  { times: { clock }, onBusUp }: Remote,
  { delayMs, signal }: { readonly delayMs: number; readonly signal: CallOptions['signal'] },
): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      stopTimer();
      stopListening?.();
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const stopTimer = clock.after(delayMs, end);
    const stopListening = onBusUp?.(end);
    signal?.addEventListener('abort', end, { once: true });
  });
}
