// How much may wait for a robot. Pure.
import { overLimit } from '@qiway/protocol/errors';
import type { WaitingCall } from './waiting-call.ts';

export interface QueueLimits {
  readonly maxCalls: number;
  readonly maxBytes: number;
}

/** More than people make while a robot is away; what a program makes in a loop is not worth keeping. */
export const QUEUE_LIMITS: QueueLimits = { maxCalls: 1000, maxBytes: 4 * 1024 * 1024 };

/** @param room.others those that wait already, and go on waiting. @throws `limit-exceeded` */
export function checkRoom(
  call: WaitingCall,
  { others, limits }: { readonly others: readonly WaitingCall[]; readonly limits: QueueLimits },
): void {
  const { maxCalls, maxBytes } = limits;
  if (others.length >= maxCalls)
    throw overLimit(`${maxCalls} calls wait for the robot already; no more can.`, {
      limit: 'queuedCalls',
      maximum: maxCalls,
    });
  if (others.reduce((sum, { size }) => sum + size, call.size) > maxBytes)
    throw overLimit(`More than ${maxBytes} bytes of calls would wait for the robot.`, {
      limit: 'queuedBytes',
      maximum: maxBytes,
    });
}
