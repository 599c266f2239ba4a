// One call of a request: encoded, bounded in time, cancelled on the robot when the client goes away. Pure.
import type { BusObject, Payload } from '../bus/bus.ts';
import { type CallLimit, callObject } from '../bus/call.ts';
import { type Json, toJson } from '../objects/json.ts';
import { decodePayload, encodePayload, openDynamic, plainObjects } from '../objects/values.ts';

export interface DoorCall {
  readonly action: number;
  readonly signature: string;
  /** To encode with `signature`. */
  readonly value: unknown;
}

/**
 * The payload of the answer; its objects belong to the caller.
 * @throws as `callObject`; `invalid-argument`
 */
export function callForPayload(
  object: BusObject,
  { action, signature, value }: DoorCall,
  limit: CallLimit,
): Promise<Payload> {
  return callObject(object, { action, payload: encodePayload(signature, value, plainObjects) }, limit);
}

/** What came back. */
export interface Answer {
  readonly value: unknown;
  /** The value, if it is a raw. */
  readonly raw: Uint8Array | undefined;
  /** Made when it is asked for: of a large raw it is larger still. Objects in it are described. */
  readonly json: Json;
}

/** Reads a payload; objects in it are released. @param declared the signature in the metaobject. @throws `wire-invalid` */
export function readAnswer(payload: Payload, declared: string): Answer {
  const opened = payload.signature === 'm' ? openDynamic(payload) : payload;
  const objects: BusObject[] = [];
  const toValue = (object: BusObject): BusObject => {
    objects.push(object);
    return object;
  };
  try {
    const value = decodePayload(opened, { ...plainObjects, toValue });
    return {
      value,
      raw: opened.signature === 'r' && value instanceof Uint8Array ? value : undefined,
      // A raw in a dynamic is marked as such; a declared raw is base64 text.
      get json() {
        return toJson(declared === 'm' ? 'm' : opened.signature, value);
      },
    };
  } finally {
    for (const object of objects) object.release();
  }
}
