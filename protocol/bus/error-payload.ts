// Errors as qi programs say them: a dynamic with a string. Layer 2. How they are read; written in encode-error.ts.
import { type ErrorCode, QiwayError } from '../errors.ts';
import { decodeErrorRecord } from './error-record.ts';

/** What a peer made of this code base says of itself rather than of the method that was called. */
export const OWN_TEXT: RegExp = /^\[(service-gone|object-gone|limit-exceeded|bus-down)\] (.*)$/s;

/** libqi's sentence for a call to an address where nothing is. */
export const NOBODY_THERE: string = 'The call request could not be handled.';

/** Also reads the records of our own links. Never throws: whatever the bytes are, the answer is an error that says so. */
export function decodeError(bytes: Uint8Array): QiwayError {
  return decodeErrorRecord(bytes, fromText);
}

/** Undefined: the words of the service. */
function fromText(text: string): QiwayError | undefined {
  if (text === NOBODY_THERE)
    return new QiwayError(
      'object-gone',
      'There is no such object (any more) at that address. Ask for the service again.',
    );
  if (text.startsWith('No such method {'))
    return new QiwayError('member-not-found', `The object has no such member. The peer says: ${text}`);
  const [, code, sentence = ''] = OWN_TEXT.exec(text) ?? [];
  if (code === undefined) return undefined;
  // A text cannot say whether the call had begun when the bus went: nobody is to take it for certain that it had not.
  return new QiwayError(code as ErrorCode, sentence, { maybeExecuted: code === 'bus-down' });
}
