// The two errors of whatever reads bytes. Layer 1; pure.
import { overLimit, QiwayError } from '../errors.ts';

/** `offset`: the byte (of a signature: the character) where it was seen. */
export function wireInvalid(sentence: string, offset: number): QiwayError<'wire-invalid'> {
  return new QiwayError('wire-invalid', `${sentence} (byte ${offset})`, { data: { offset } });
}

/** `maximum`: in the unit of the limit of that name. */
export function limitExceeded(sentence: string, limit: string, maximum: number): QiwayError<'limit-exceeded'> {
  return overLimit(`${sentence}; at most ${maximum}.`, { limit, maximum });
}
