// A bound for waiting on what another side owes. Layer 0.
import type { Clock } from './clock.ts';
import { QiwayError } from './errors.ts';

export interface TimeLimit {
  readonly clock: Clock;
  readonly timeoutMs: number;
}

/**
 * Settles as `promise` does, if it does so in time; what it comes to later is dropped.
 * @param complaint what has not happened, such as `The robot did not confirm the subscription`. @throws `timeout`
 */
export function within<T>(promise: Promise<T>, { clock, timeoutMs }: TimeLimit, complaint: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const stopTimer = clock.after(timeoutMs, () =>
      reject(new QiwayError('timeout', `${complaint} within ${timeoutMs} ms.`, { data: { timeoutMs } })),
    );
    promise.then(resolve, reject).finally(stopTimer);
  });
}
