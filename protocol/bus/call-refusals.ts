// Why a peer does not send a call. Layer 2.
import { overLimit, QiwayError } from '../errors.ts';

/** The call needs header flags that the other side does not know. */
export function noFlags(): QiwayError {
  return new QiwayError(
    'unsupported',
    'The other side does not convert arguments and results: give them in the signature the method declares.',
    { data: { what: 'MessageFlags' } },
  );
}

/** The other side leaves too many calls without an answer. */
export function tooManyCalls(maximum: number): QiwayError {
  return overLimit(`The other side has not answered ${maximum} calls.`, { limit: 'maxPendingCalls', maximum });
}
