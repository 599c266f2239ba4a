// What tabs tell each other of calls that wait, and what listeners are shown. Knows no tabs.
import type { Payload } from '@qiway/protocol/bus/bus';
import { type ErrorRecord, QiwayError } from '@qiway/protocol/errors';
import { decodePayload, plainObjects } from '@qiway/protocol/objects/values';
import type { QueueChange, StoredCall } from './queue-types.ts';
import type { WaitingCall } from './waiting-call.ts';

/** Over a BroadcastChannel. */
export type QueueNews =
  | { readonly kind: 'queued'; readonly call: StoredCall }
  | { readonly kind: 'sending' | 'waiting' | 'cancel'; readonly id: string }
  /** Without a result: it holds objects of the other tab. */
  | {
      readonly kind: 'done';
      readonly id: string;
      readonly result?: { readonly signature: string; readonly bytes: Uint8Array };
    }
  | { readonly kind: 'failed' | 'expired' | 'canceled'; readonly id: string; readonly error: ErrorRecord };

/** For listeners; whoever waits decodes it himself, and is told if that fails. */
export function shown(payload: Payload): Pick<QueueChange, 'result'> {
  try {
    return payload.objects.length > 0 ? {} : { result: decodePayload(payload, plainObjects) };
  } catch {
    return {};
  }
}

export function madeElsewhere({ stored: { service, method } }: WaitingCall): QiwayError {
  return new QiwayError(
    'result-not-kept',
    `Another page of this site made ${service}.${method}; what it came to is not known here.`,
    { data: { reason: 'another page' }, maybeExecuted: true },
  );
}
