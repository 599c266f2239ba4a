// Bytes as an answer to GET: whole, one range of them (RFC 9110, section 14), or the word that they have not changed. Pure.
import { QiwayError } from '../errors.ts';
import type { DoorRequest, DoorResponse } from './door-types.ts';
import { emptyResponse, problemResponse } from './responses.ts';

/** A validator of exactly these bytes: two sums of 32 bits, and the length. Against mistakes, not against malice. */
export function entityTag(bytes: Uint8Array): string {
  let one = 0x811c9dc5;
  let other = bytes.length;
  const words = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const whole = bytes.length - (bytes.length % 4);
  for (let at = 0; at < whole; at += 4) {
    const word = words.getUint32(at, true);
    one = Math.imul(one ^ word, 0x01000193);
    one ^= one >>> 15;
    other = Math.imul(other + word, 0x85ebca6b);
    other ^= other >>> 13;
  }
  for (let at = whole; at < bytes.length; at++) {
    one = Math.imul(one ^ (bytes[at] as number), 0x01000193);
    other = Math.imul(other + (bytes[at] as number), 0x85ebca6b);
  }
  const hex = (sum: number): string => (sum >>> 0).toString(16);
  return `"${hex(one)}-${hex(other)}-${bytes.length.toString(16)}"`;
}

/** Does the client have these already? */
export function isKnown(request: DoorRequest, tag: string): boolean {
  const known = request.headers['if-none-match'];
  return known?.split(',').some((each) => each.trim().replace(/^W\//, '') === tag || each.trim() === '*') === true;
}

export function notModified(tag: string): DoorResponse {
  return emptyResponse(304, { etag: tag, 'cache-control': 'no-cache' });
}

/** For GET and HEAD. */
export function rangedResponse(request: DoorRequest, bytes: Uint8Array, type: string): DoorResponse {
  const tag = entityTag(bytes);
  if (isKnown(request, tag)) return notModified(tag);
  const headers = { 'content-type': type, 'cache-control': 'no-cache', etag: tag, 'accept-ranges': 'bytes' };
  const range = readRange(request, tag, bytes.length);
  if (range === 'none') return { status: 200, headers, body: bytes };
  if (range === 'unsatisfiable')
    return problemResponse(
      new QiwayError('invalid-argument', `The range lies outside of the ${bytes.length} bytes.`, {
        data: { path: 'range' },
      }),
      { status: 416, headers: { 'content-range': `bytes */${bytes.length}` } },
    );
  return {
    status: 206,
    headers: { ...headers, 'content-range': `bytes ${range.first}-${range.last}/${bytes.length}` },
    body: bytes.subarray(range.first, range.last + 1),
  };
}

type Range = 'none' | 'unsatisfiable' | { readonly first: number; readonly last: number };

/** One range; several, and what is no range, are answered with the whole, as the RFC allows. */
function readRange(request: DoorRequest, tag: string, size: number): Range {
  const condition = request.headers['if-range'];
  if (condition !== undefined && condition.trim() !== tag) return 'none';
  const [, from = '', to = ''] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(request.headers['range']?.trim() ?? '') ?? [];
  if (from === '' && to === '') return 'none';
  const first = from === '' ? Math.max(0, size - Number(to)) : Number(from);
  const last = from === '' || to === '' ? size - 1 : Math.min(Number(to), size - 1);
  if (from !== '' && to !== '' && Number(to) < first) return 'none';
  return first >= size ? 'unsatisfiable' : { first, last };
}
