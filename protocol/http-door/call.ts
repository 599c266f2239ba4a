// One call of a request: encoded, bounded in time, cancelled on the robot when the client goes away. Pure.
import { type BusObject, type Payload, releasePayload } from '../bus/bus.ts';
import type { Clock } from '../clock.ts';
import { QiwayError } from '../errors.ts';
import { type Json, toJson } from '../objects/json.ts';
import { decodePayload, encodePayload, openDynamic, plainObjects } from '../objects/values.ts';

export interface CallLimits {
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly onAborted?: ((stop: () => void) => void) | undefined;
}

export interface DoorCall {
  readonly action: number;
  readonly signature: string;
  /** To encode with `signature`. */
  readonly value: unknown;
}

/**
 * The payload of the answer; its objects belong to the caller.
 * @throws what the callee answered; `invalid-argument`; `timeout`; `canceled`
 */
export function callForPayload(
  object: BusObject,
  { action, signature, value }: DoorCall,
  limits: CallLimits,
): Promise<Payload> {
  const payload = encodePayload(signature, value, plainObjects);
  return new Promise((resolve, reject) => {
    let isOpen = true;
    let stopTimer = (): void => {};
    const settle = (act: () => void): void => {
      if (!isOpen) return;
      isOpen = false;
      stopTimer();
      act();
    };
    const handle = object.call(
      { action, payload },
      {
        reply: (answer) => (isOpen ? settle(() => resolve(answer)) : releasePayload(answer)),
        error: (error) => settle(() => reject(error)),
        canceled: () => settle(() => reject(new QiwayError('canceled', 'The service stopped the call.'))),
      },
    );
    if (!isOpen) return;
    const { timeoutMs } = limits;
    stopTimer = limits.clock.after(timeoutMs, () => {
      handle.cancel();
      settle(() =>
        reject(
          new QiwayError('timeout', `The service did not answer within ${timeoutMs} ms.`, {
            data: { timeoutMs },
            maybeExecuted: true,
          }),
        ),
      );
    });
    limits.onAborted?.(() => {
      if (!isOpen) return;
      handle.cancel();
      settle(() => reject(new QiwayError('canceled', 'The client stopped waiting.', { maybeExecuted: true })));
    });
  });
}

/** A value as bytes if it is a raw, else undefined; and as JSON. Objects in it are described and released. */
export interface Answer {
  readonly json: Json;
  readonly raw: Uint8Array | undefined;
}

/** @param declared the signature in the metaobject. @throws `wire-invalid` */
export function readAnswer(payload: Payload, declared: string): Answer {
  const opened = payload.signature === 'm' ? openDynamic(payload) : payload;
  const objects: BusObject[] = [];
  const toValue = (object: BusObject): BusObject => {
    objects.push(object);
    return object;
  };
  try {
    const value = decodePayload(opened, { ...plainObjects, toValue });
    const raw = opened.signature === 'r' && value instanceof Uint8Array ? value : undefined;
    // A raw in a dynamic is marked as such; a declared raw is base64 text.
    return { json: toJson(declared === 'm' ? 'm' : opened.signature, value), raw };
  } finally {
    for (const object of objects) object.release();
  }
}
