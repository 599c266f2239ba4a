// Calls that may wait until the robot can be reached: what may wait, before the queue gets it. Layer 3; knows no queue, and is
// loaded with it.

import type { Payload } from '../bus/bus.ts';
import type { MetaMethod } from '../bus/metaobject.ts';
import { QiwayError } from '../errors.ts';
import type { MemberClass } from '../member-class.ts';
import type { Remote } from './remote.ts';
import type { CallOptions } from './remote-types.ts';

/** A call, encoded. */
export interface Encoded {
  readonly method: MetaMethod;
  readonly args: readonly unknown[];
  /** Its objects are released already: the queue takes bytes only. */
  readonly payload: Payload;
}

/**
 * Hands the call to the queue; resolves with its answer.
 * @throws `forbidden`, `invalid-argument`, `unsupported` for what may not wait; what the queue says
 */
export async function callQueued(
  remote: Remote,
  { method, args, payload }: Encoded,
  { offline, timeoutMs, signal }: CallOptions,
): Promise<Payload> {
  const { service, enqueue, times } = remote;
  const memberClass = refuseMotion(remote, method.name);
  if (service === undefined)
    throw new QiwayError(
      'invalid-argument',
      'Only calls on services can wait: the robot may have let go of another object by then. Leave offline out.',
    );
  if (payload.objects.length > 0)
    throw new QiwayError(
      'invalid-argument',
      `Objects and functions cannot wait: they end with this page. Call ${method.name} without offline.`,
    );
  if (enqueue === undefined || offline === undefined)
    throw new QiwayError('unsupported', 'There is no queue here in which a call could wait.', {
      data: { what: 'offline' },
    });
  return enqueue({
    service,
    method: `${method.name}::${method.parametersSignature}`,
    payload,
    args,
    memberClass,
    policy: offline,
    timeoutMs: timeoutMs ?? times.deadlines?.timeoutMs ?? 0,
    signal,
  });
}

/**
 * What the call does to the world. What moves the robot does not wait: it must not begin to move at a moment that nobody
 * chose, before people who do not expect it any more.
 * @throws `forbidden`
 */
export function refuseMotion({ service, classOf }: Remote, name: string): MemberClass | undefined {
  if (service === undefined) return undefined;
  const memberClass = classOf?.(service, name.replace(/::.*/, ''));
  if (memberClass !== 'motion') return memberClass;
  throw new QiwayError(
    'forbidden',
    `${service}.${name} moves the robot: its calls do not wait. Call it without offline and whenBusDown, when the robot can be reached.`,
    { data: { reason: 'motion' } },
  );
}
