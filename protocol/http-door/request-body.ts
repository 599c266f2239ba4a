// Reads the body of a request within a bound, and its JSON. Pure.
import { QiwayError } from '../errors.ts';
import type { DoorRequest } from './door-types.ts';

/** Beside JSON: what `curl -d` and `fetch` with a text say when they are told nothing. Safe, since no cookie lets a form in. */
const READ_AS_JSON: readonly string[] = ['application/json', 'application/x-www-form-urlencoded', 'text/plain'];

/**
 * The JSON of the body; `undefined` for an empty one.
 * @throws `limit-exceeded` beyond `maxBytes`; `unsupported` for another media type; `invalid-argument` for malformed JSON
 */
export async function readJson(request: DoorRequest, maxBytes: number): Promise<unknown> {
  const bytes = await readBytes(request, maxBytes);
  if (bytes.length === 0) return undefined;
  const type = bodyType(request) ?? 'application/json';
  if (!READ_AS_JSON.includes(type) && !type.endsWith('+json')) {
    throw new QiwayError('unsupported', `The body must be application/json, not ${type}.`, {
      data: { what: 'content-type' },
    });
  }
  return parse(bytes);
}

/** The media type that the body is said to have, without parameters. */
export function bodyType(request: DoorRequest): string | undefined {
  return request.headers['content-type']?.split(';')[0]?.trim().toLowerCase();
}

/**
 * The body as it is. A body without compression only.
 * @throws `limit-exceeded` beyond `maxBytes`; `unsupported` for a compressed one
 */
export async function readBytes(request: DoorRequest, maxBytes: number): Promise<Uint8Array> {
  const encoding = request.headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity') {
    throw new QiwayError('unsupported', `The body must not be compressed (${encoding}).`, {
      data: { what: 'content-encoding' },
    });
  }
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > maxBytes) throw tooLarge(maxBytes);
  return gather(request.body, maxBytes);
}

/** @throws `invalid-argument` */
function parse(bytes: Uint8Array): unknown {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new QiwayError('invalid-argument', 'The body is not UTF-8.', { data: { expected: 'JSON' }, cause });
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new QiwayError('invalid-argument', `The body is not JSON: ${reason}.`, { data: { expected: 'JSON' }, cause });
  }
}

async function gather(body: DoorRequest['body'], maxBytes: number): Promise<Uint8Array> {
  if (body instanceof Uint8Array) {
    if (body.length > maxBytes) throw tooLarge(maxBytes);
    return body;
  }
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > maxBytes) throw tooLarge(maxBytes);
    chunks.push(chunk);
  }
  if (chunks.length === 1) return chunks[0] as Uint8Array;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

function tooLarge(maximum: number): QiwayError {
  return new QiwayError('limit-exceeded', `The body is larger than ${maximum} bytes.`, {
    data: { limit: 'maxBodyBytes', maximum },
  });
}
