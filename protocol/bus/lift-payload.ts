// Bytes as a peer receives them -> a payload of the seam: addresses of objects become objects. Layer 2; knows no peers.

import type { ObjectEncoding } from '../wire/objects.ts';
import { type ObjectReference, rewriteObjects } from '../wire/rewrite.ts';
import { type BusObject, NO_OBJECTS, type Payload, SEAM_ENCODING } from './bus.ts';

/**
 * Of a signature that may hold objects.
 * @param objectAt the object of an address, with one reference, which the receiver of the payload owns
 * @throws `wire-invalid`, and what `objectAt` throws; the references are then released
 */
export function liftPayload(
  { signature, bytes }: { readonly signature: string; readonly bytes: Uint8Array },
  encoding: ObjectEncoding,
  objectAt: (reference: ObjectReference) => BusObject,
): Payload {
  let objects: BusObject[] | undefined;
  try {
    const neutral = rewriteObjects(signature, bytes, encoding, SEAM_ENCODING, (reference) => {
      objects ??= [];
      if (reference.object !== 0) objects.push(objectAt(reference));
      return { ...reference, service: 0, object: reference.object && objects.length };
    });
    return { signature, bytes: neutral, objects: objects ?? NO_OBJECTS };
  } catch (error) {
    for (const object of objects ?? NO_OBJECTS) object.release();
    throw error;
  }
}
