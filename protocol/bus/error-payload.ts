// Errors as the payload of an Error message: a dynamic with a string, as every qi peer writes it, or with a record
// that keeps code and data, which only our own links understand. Layer 2. How they are read; written in encode-error.ts.
import { type ErrorCode, type ErrorData, QiwayError } from '../errors.ts';
import { type Dynamic, decodeValue } from '../wire/value.ts';

export const RECORD_SIGNATURE: string = '(sss)<QiwayError,code,message,data>';

/** What a peer made of this code base says of itself rather than of the method that was called. */
export const OWN_TEXT: RegExp = /^\[(service-gone|object-gone|limit-exceeded)\] (.*)$/s;

/** libqi's sentence for a call to an address where nothing is. */
export const NOBODY_THERE: string = 'The call request could not be handled.';

/** Never throws: whatever the bytes are, the answer is an error that says so. */
export function decodeError(bytes: Uint8Array): QiwayError {
  try {
    const dynamic = decodeValue('m', bytes, { dynamics: 'wrapped' }) as Dynamic;
    const value = dynamic.value;
    if (dynamic.signature === RECORD_SIGNATURE)
      return fromRecord(value as { code: string; message: string; data: string });
    return fromText(typeof value === 'string' ? value : (JSON.stringify(value) ?? 'The service gave no reason.'));
  } catch (cause) {
    return new QiwayError('call-failed', 'The service failed, and its error cannot be read.', { cause });
  }
}

function fromRecord(record: { readonly code: string; readonly message: string; readonly data: string }): QiwayError {
  const { maybeExecuted, ...data } = JSON.parse(record.data) as ErrorData[ErrorCode] & {
    readonly maybeExecuted?: boolean;
  };
  return new QiwayError(record.code as ErrorCode, record.message, { data, maybeExecuted: maybeExecuted === true });
}

function fromText(text: string): QiwayError {
  if (text === NOBODY_THERE)
    return new QiwayError(
      'object-gone',
      'There is no such object (any more) at that address. Ask for the service again.',
    );
  if (text.startsWith('No such method {'))
    return new QiwayError('member-not-found', `The object has no such member. The peer says: ${text}`);
  const own = OWN_TEXT.exec(text);
  if (own !== null) return new QiwayError(own[1] as 'service-gone' | 'limit-exceeded', own[2] ?? '');
  return new QiwayError('call-failed', text, { data: { text } });
}

/** The message without its code. */
export function sentenceOf(error: QiwayError): string {
  const prefix = `[${error.code}] `;
  return error.message.startsWith(prefix) ? error.message.slice(prefix.length) : error.message;
}
