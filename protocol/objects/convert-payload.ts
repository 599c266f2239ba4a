// Payloads in another signature than they came in. Layer 3; pure.
import type { BusObject, Payload } from '../bus/bus.ts';
import { convertValue } from '../bus/convert.ts';
import { decodeWrapped, encodePayload, isSameSignature, plainObjects } from './values.ts';

/**
 * The same value in another signature, by the rules of conversion of qi. Takes over the payload's references.
 * @throws `conversion-failed`, `wire-invalid`
 */
export function convertPayload(
  payload: Payload,
  signature: string,
  convert: typeof convertValue = convertValue,
): Payload {
  if (isSameSignature(payload.signature, signature)) return payload;
  const taken: BusObject[] = [];
  const toValue = (object: BusObject): BusObject => {
    taken.push(object);
    return object;
  };
  try {
    const value = decodeWrapped(payload, { ...plainObjects, toValue });
    // What is encoded retains its own references.
    return encodePayload(signature, convert(payload.signature, signature, value), plainObjects);
  } finally {
    for (const object of taken) object.release();
  }
}
