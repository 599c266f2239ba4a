// A failsafe, as an app holds it.
import { QiwayError } from '@qiway/protocol/errors';

/** What the robot is to do when nobody is there. */
export interface FailsafeOptions {
  /** After so long without a sign of this session; 200 to 60,000 ms. */
  readonly afterMs: number;
  /** `Service.method`, or with arguments: `{ service, method, args }`. Made in this order, at once, on the robot's side. */
  readonly calls: readonly (string | FailsafeCall)[];
}

export interface FailsafeCall {
  readonly service: string;
  /** A name, or a full name `name::(parameters)` where several fit. */
  readonly method: string;
  readonly args?: readonly unknown[];
}

/** Registered at the agent until it is cleared. After a break it goes on; a new session registers it again by itself. */
export interface Failsafe extends AsyncDisposable {
  readonly afterMs: number;
  /** Settles with why, when it could not be registered again in a new session: nothing stops the robot any more. */
  readonly lost: Promise<QiwayError>;
  /** Takes it back; without a link, with the next one. Idempotent. */
  clear(): Promise<void>;
}

/** Of the failsafe that matters most: one that fired, else the quickest. */
export interface FailsafeStatus {
  readonly afterMs: number;
  /** `fired`: its calls were made, and nothing was heard of this session since. */
  readonly state: 'armed' | 'fired';
  /** When it was made last, milliseconds since the epoch on the robot's clock. */
  readonly firedAtMs?: number;
  /** Its calls that failed then, in words. */
  readonly failures?: readonly string[];
}

/** As the agent takes them. @throws `invalid-argument` */
export function callTuples(calls: FailsafeOptions['calls']): (readonly [string, string, readonly unknown[]])[] {
  return calls.map((call) => {
    if (typeof call !== 'string') return [call.service, call.method, call.args ?? []];
    const dot = call.indexOf('.');
    if (dot < 1 || dot === call.length - 1)
      throw new QiwayError('invalid-argument', `"${call}" is not Service.method.`, {
        data: { expected: 'Service.method', path: 'calls' },
      });
    return [call.slice(0, dot), call.slice(dot + 1), []];
  });
}
