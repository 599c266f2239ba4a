// Errors as our own links carry them: a dynamic with a record that keeps code and data, or with the words of a service of
// the robot. Layer 2. What else qi programs say in words is read by error-payload.ts.
import { type ErrorCode, type ErrorData, QiwayError, reviveError } from '../errors.ts';
import { type Dynamic, decodeValue } from '../wire/value.ts';

export const RECORD_SIGNATURE: string = '(sss)<QiwayError,code,message,data>';

/**
 * Never throws: whatever the bytes are, the answer is an error that says so.
 * @param readText what a text means that may be more than the words of a service
 */
export function decodeErrorRecord(bytes: Uint8Array, readText?: (text: string) => QiwayError | undefined): QiwayError {
  try {
    const { signature, value } = decodeValue('m', bytes, { dynamics: 'wrapped' }) as Dynamic;
    if (signature === RECORD_SIGNATURE) return fromRecord(value as { code: string; message: string; data: string });
    const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'The service gave no reason.');
    return readText?.(text) ?? new QiwayError('call-failed', text, { data: { text } });
  } catch (cause) {
    return new QiwayError('call-failed', 'The service failed, and its error cannot be read.', { cause });
  }
}

function fromRecord(record: { readonly code: string; readonly message: string; readonly data: string }): QiwayError {
  const { maybeExecuted, ...data } = JSON.parse(record.data) as ErrorData[ErrorCode] & {
    readonly maybeExecuted?: boolean;
  };
  return reviveError({
    code: record.code as ErrorCode,
    message: record.message,
    data,
    maybeExecuted: maybeExecuted === true,
  });
}
