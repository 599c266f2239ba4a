// One call as a promise, for code that is not on the hot path. Layer 2.

import type { Clock } from '../clock.ts';
import { QiwayError } from '../errors.ts';
import type { BusObject, CallRequest, Payload } from './bus.ts';
import { releasePayload } from './bus.ts';

/**
 * Calls and waits for the answer; the caller owns the objects in it.
 * @throws what the callee answered; `canceled`; `timeout` after `timeoutMs` (the callee is asked to stop)
 */
export function callObject(
  object: BusObject,
  request: CallRequest,
  limit: { readonly clock: Clock; readonly timeoutMs: number },
): Promise<Payload> {
  return new Promise((resolve, reject) => {
    let isOpen = true;
    const settle = (act: () => void): void => {
      if (!isOpen) return;
      isOpen = false;
      stopTimer();
      act();
    };
    let stopTimer = (): void => {};
    const handle = object.call(request, {
      reply: (payload) => (isOpen ? settle(() => resolve(payload)) : releasePayload(payload)),
      error: (error) => settle(() => reject(error)),
      canceled: () => settle(() => reject(new QiwayError('canceled', 'The callee stopped the call.'))),
    });
    if (!isOpen) return;
    stopTimer = limit.clock.after(limit.timeoutMs, () =>
      settle(() => {
        handle.cancel();
        reject(
          new QiwayError('timeout', `No answer within ${limit.timeoutMs} ms.`, {
            data: { timeoutMs: limit.timeoutMs },
            maybeExecuted: true,
          }),
        );
      }),
    );
  });
}
