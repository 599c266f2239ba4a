// What the door answers: JSON, bytes, and failures as problem documents (RFC 9457). Pure.
import { type ErrorCode, QiwayError, sentenceOf } from '../errors.ts';
import type { DoorResponse } from './door-types.ts';

const encoder = new TextEncoder();
const NOTHING = new Uint8Array(0);

export function jsonResponse(
  value: unknown,
  more: { status?: number; headers?: Record<string, string> } = {},
): DoorResponse & { readonly body: Uint8Array } {
  return {
    status: more.status ?? 200,
    headers: { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store', ...more.headers },
    body: encoder.encode(`${JSON.stringify(value)}\n`),
  };
}

export function bytesResponse(bytes: Uint8Array, type: string): DoorResponse {
  return { status: 200, headers: { 'content-type': type, 'cache-control': 'no-store' }, body: bytes };
}

export function emptyResponse(status: number, headers: Record<string, string>): DoorResponse {
  return { status, headers, body: NOTHING };
}

/** HTTP status of each code where the door has nothing better to say. */
const STATUS: { readonly [code in ErrorCode]: number } = {
  'wire-invalid': 502,
  'limit-exceeded': 413,
  'invalid-argument': 400,
  'argument-mismatch': 400,
  'conversion-failed': 400,
  'service-not-found': 404,
  'member-not-found': 404,
  'service-gone': 502,
  'object-gone': 502,
  'service-name-taken': 409,
  'call-failed': 500,
  canceled: 500,
  timeout: 504,
  'link-lost': 502,
  offline: 503,
  superseded: 409,
  expired: 504,
  interrupted: 502,
  'result-not-kept': 502,
  'dial-failed': 502,
  'robot-identity-mismatch': 502,
  'handshake-failed': 502,
  'protocol-mismatch': 502,
  unauthorized: 401,
  forbidden: 403,
  'lease-held': 423,
  'lease-lost': 409,
  'motion-stale': 409,
  'bus-down': 503,
  'endpoint-unreachable': 502,
  'config-invalid': 500,
  'listen-failed': 500,
  closed: 503,
  unsupported: 501,
  internal: 500,
};

/** `title` of RFC 9457: the same for every problem of a code. */
const TITLE: { readonly [code in ErrorCode]: string } = {
  'wire-invalid': 'The robot sent bytes that cannot be read',
  'limit-exceeded': 'A limit was exceeded',
  'invalid-argument': 'A value is not acceptable',
  'argument-mismatch': 'No overload takes these arguments',
  'conversion-failed': 'A value cannot be converted',
  'service-not-found': 'There is no such service',
  'member-not-found': 'There is no such member',
  'service-gone': 'The service has left the bus',
  'object-gone': 'The object has ended',
  'service-name-taken': 'The name is taken',
  'call-failed': 'The method failed on the robot',
  canceled: 'The call was cancelled',
  timeout: 'There was no answer in time',
  'link-lost': 'The link broke before the answer came',
  offline: 'There is no link to the robot',
  superseded: 'A newer one took its place',
  expired: 'The call waited too long',
  interrupted: 'The agent ended while it made the call',
  'result-not-kept': 'The call ran, and its result is not kept',
  'dial-failed': 'No link could be made',
  'robot-identity-mismatch': 'Another robot answers at the address',
  'handshake-failed': 'The other side did not say who it is',
  'protocol-mismatch': 'The other side speaks something else',
  unauthorized: 'A token is needed',
  forbidden: 'Not allowed',
  'lease-held': 'Somebody else has exclusive control',
  'lease-lost': 'Exclusive control was lost',
  'motion-stale': 'Too late to move',
  'bus-down': "The robot's bus cannot be reached",
  'endpoint-unreachable': 'A host of services cannot be reached',
  'config-invalid': 'The configuration is not acceptable',
  'listen-failed': 'The address cannot be listened on',
  closed: 'The agent is closing',
  unsupported: 'Not supported',
  internal: 'A fault of the agent',
};

/** Seconds after which a retry is worth while when the bus is down. */
const RETRY_AFTER_SECONDS = '2';

/** A problem document (RFC 9457). */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ErrorCode;
  readonly data: unknown;
  readonly maybeExecuted?: true;
}

/** @param status where the code alone does not tell */
export function problemRecord(error: QiwayError, status?: number): Problem {
  const code = error.code in STATUS ? error.code : 'internal';
  return {
    type: `urn:qiway:error:${code}`,
    title: TITLE[code],
    status: status ?? STATUS[code],
    detail: sentenceOf(error),
    code,
    data: error.data,
    ...(error.maybeExecuted ? { maybeExecuted: true } : {}),
  };
}

export function problemResponse(
  error: QiwayError,
  more: { status?: number; headers?: Record<string, string> } = {},
): DoorResponse {
  const body = problemRecord(error, more.status);
  const headers: Record<string, string> = {
    'content-type': 'application/problem+json',
    'cache-control': 'no-store',
    ...more.headers,
  };
  if (body.status === 503) headers['retry-after'] = RETRY_AFTER_SECONDS;
  if (body.status === 401) headers['www-authenticate'] = 'Bearer realm="robot"';
  return { status: body.status, headers, body: encoder.encode(`${JSON.stringify(body)}\n`) };
}

export function methodNotAllowed(method: string, allow: string): DoorResponse {
  const error = new QiwayError('unsupported', `${method} is not possible here. Use ${allow}.`, {
    data: { what: method },
  });
  return problemResponse(error, { status: 405, headers: { allow } });
}

export function notAcceptable(what: string): DoorResponse {
  return problemResponse(new QiwayError('unsupported', what, { data: { what: 'accept' } }), { status: 406 });
}
