// One call as a promise, for code that is not on the hot path. Layer 2.

import { QiwayError } from '../errors.ts';
import type { TimeLimit } from '../within.ts';
import type { BusObject, CallRequest, Payload } from './bus.ts';
import { releasePayload } from './bus.ts';

export interface CallLimit extends TimeLimit {
  /** Is given how to stop waiting, for when nobody wants the answer any more. */
  readonly onAborted?: ((stop: () => void) => void) | undefined;
  /** Takes an answer that comes when nobody waits any more; then the callee is not asked to stop. */
  readonly late?: (payload: Payload) => void;
}

/**
 * Calls and waits for the answer; the caller owns the objects in it. Whoever stops waiting asks the callee to stop, unless
 * late answers are taken.
 * @throws what the callee answered; `canceled`; `timeout` after `timeoutMs`
 */
export function callObject(object: BusObject, request: CallRequest, limit: CallLimit): Promise<Payload> {
  return new Promise((resolve, reject) => {
    let isOpen = true;
    const settle = (act: () => void): void => {
      if (!isOpen) return;
      isOpen = false;
      stopTimer();
      act();
    };
    let stopTimer = (): void => {};
    const { clock, onAborted, late = releasePayload } = limit;
    const handle = object.call(request, {
      reply: (payload) => (isOpen ? settle(() => resolve(payload)) : late(payload)),
      error: (error) => settle(() => reject(error)),
      canceled: () => settle(() => reject(new QiwayError('canceled', 'The callee stopped the call.'))),
    });
    if (!isOpen) return;
    const giveUp = (error: QiwayError): void =>
      settle(() => {
        if (limit.late === undefined) handle.cancel();
        reject(error);
      });
    const timeoutMs = Math.round(limit.timeoutMs); // may be what is left of a longer time
    stopTimer = clock.after(limit.timeoutMs, () =>
      giveUp(
        new QiwayError('timeout', `No answer within ${timeoutMs} ms.`, { data: { timeoutMs }, maybeExecuted: true }),
      ),
    );
    onAborted?.(() =>
      giveUp(new QiwayError('canceled', 'The caller does not wait any more.', { maybeExecuted: true })),
    );
  });
}
