// The error of a call in the words that a qi program expects. Layer 3; pure.
import { QiwayError } from '../errors.ts';

/** @param text libqi's sentence */
export function callFailed(text: string): QiwayError<'call-failed'> {
  return new QiwayError('call-failed', text, { data: { text } });
}
