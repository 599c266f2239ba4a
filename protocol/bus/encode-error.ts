// How errors are written as the payload of an Error message; see error-payload.ts. Layer 2.
import { type QiwayError, sentenceOf } from '../errors.ts';
import { Dynamic, encodeValue } from '../wire/value.ts';
import { OWN_TEXT } from './error-payload.ts';
import { RECORD_SIGNATURE } from './error-record.ts';

/** What a qi peer is told: the words of the service itself where there are some, no code in front of ours. */
export function errorText(error: QiwayError): string {
  const text = (error.data as { readonly text?: unknown }).text;
  if (typeof text === 'string') return text;
  return OWN_TEXT.test(error.message) ? error.message : sentenceOf(error);
}

/** @param style `text` for qi peers, `record` for our links */
export function encodeError(error: QiwayError, style: 'text' | 'record'): Uint8Array {
  const foreign = error.code === 'call-failed' && error.data !== undefined && 'text' in error.data;
  if (style === 'text' || foreign) return encodeValue('m', new Dynamic('s', wellFormed(errorText(error))));
  const data = error.maybeExecuted ? { ...error.data, maybeExecuted: true } : (error.data ?? {});
  const record = [error.code, wellFormed(sentenceOf(error)), wellFormed(JSON.stringify(data))];
  return encodeValue('m', new Dynamic(RECORD_SIGNATURE, record));
}

function wellFormed(text: string): string {
  return text.isWellFormed() ? text : text.toWellFormed();
}
