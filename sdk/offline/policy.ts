// How an app says that a call may wait for the robot. Plain data; knows no queue.
import { QiwayError } from '@qiway/protocol/errors';
import type { OfflinePolicy } from '@qiway/protocol/objects/remote-types';

export interface QueueOptions {
  /** Milliseconds the call may wait, a day at most; then it rejects with `expired`. */
  readonly ttlMs: number;
  /** A call of the same method that waits with the same key already is this one: both get its outcome. */
  readonly key?: string;
}

export interface LatestOptions {
  /** Milliseconds the call may wait, a day at most. Default: a minute. */
  readonly ttlMs?: number;
  /** Calls on the service with the same key are of one kind. Default: calls of the method are. */
  readonly key?: string;
}

/** The agent remembers for longer than this which calls it has made. */
const MAX_TTL_MS = 86_400_000;
const LATEST_TTL_MS = 60_000;
const MAX_KEY_LENGTH = 200;

/**
 * The call waits for the robot, in order with the others of its service, and is made once.
 * @throws `invalid-argument`
 * @example
 * const robot = await connect('http://127.0.0.1:8080/#token=secret');
 * const tts = await robot.service('ALTextToSpeech');
 * await tts['say']?.with({ offline: queue({ ttlMs: 60_000 }) })('later');
 */
export function queue({ ttlMs, key }: QueueOptions): OfflinePolicy {
  return policy('queue', ttlMs, key);
}

/**
 * Only the newest call of its kind waits; one that it displaces rejects with `superseded`.
 * @throws `invalid-argument`
 */
export function latest({ ttlMs = LATEST_TTL_MS, key }: LatestOptions = {}): OfflinePolicy {
  return policy('latest', ttlMs, key);
}

function policy(kind: OfflinePolicy['kind'], ttlMs: number, key: string | undefined): OfflinePolicy {
  if (!(ttlMs > 0 && ttlMs <= MAX_TTL_MS))
    throw new QiwayError('invalid-argument', `ttlMs is more than 0 and at most ${MAX_TTL_MS}, a day.`, {
      data: { path: 'ttlMs' },
    });
  if (key !== undefined && (key.length === 0 || key.length > MAX_KEY_LENGTH))
    throw new QiwayError('invalid-argument', `key has 1 to ${MAX_KEY_LENGTH} characters.`, { data: { path: 'key' } });
  return { kind, ttlMs, ...(key !== undefined && { key }) };
}
