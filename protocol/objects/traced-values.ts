// Arguments and results as events of `traceObject` show them: typed values, with words in place of what is not shown.
// Layer 3; reads payloads and takes no references.
import type { Payload } from '../bus/bus.ts';
import { holdsObjects, parseSignature, splitTuple } from '../wire/signature.ts';
import { Dynamic, decodeValue, type ObjectCodec } from '../wire/value.ts';
import { openDynamic } from './values.ts';

/** libqi's words for arguments that it does not trace: raw, objects. */
const NOT_SHOWN = new Dynamic('s', '<??>');
const NOT_SERIALIZABLE = new Dynamic('s', '**UNSERIALIZABLE**');
const NO_OBJECTS_READ: ObjectCodec = { read: () => null, is: () => false, write: () => undefined };

/** The arguments of a call as a list of dynamics. Never throws: who calls hears of wrong bytes elsewhere. */
export function tracedArguments(payload: Payload): Dynamic {
  try {
    const { signature, bytes, objects } = payload.signature === 'm' ? openDynamic(payload) : payload;
    const node = parseSignature(signature);
    const decoded = decodeValue(signature, bytes, { dynamics: 'wrapped', objects: NO_OBJECTS_READ });
    if (node.kind !== 'tuple') return new Dynamic('[m]', [new Dynamic(signature, decoded)]);
    const parts = Array.isArray(decoded) ? decoded : Object.values(decoded as object);
    const shown = splitTuple(signature).map((member, index) => {
      const isHidden = member === 'r' || (objects.length > 0 && holdsObjects(member));
      return isHidden ? NOT_SHOWN : typed(member, parts[index]);
    });
    return new Dynamic('[m]', shown);
  } catch {
    return NOT_SERIALIZABLE;
  }
}

/** The result of a call. Never throws. */
export function tracedResult({ signature, bytes, objects }: Payload): Dynamic {
  if (objects.length > 0) return NOT_SERIALIZABLE;
  try {
    return typed(signature, decodeValue(signature, bytes, { dynamics: 'wrapped', objects: NO_OBJECTS_READ }));
  } catch {
    return NOT_SERIALIZABLE;
  }
}

function typed(signature: string, value: unknown): Dynamic {
  return value instanceof Dynamic ? value : new Dynamic(signature, value);
}
