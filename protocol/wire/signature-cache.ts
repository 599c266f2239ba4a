// A memo for what is derived from a signature, bounded by the characters it stands for. Layer 1; pure.
// Signatures arrive from peers, so a memo without a bound would be a leak.
import { MAX_CACHED_SIGNATURE_CHARACTERS } from './limits.ts';

/** Remembers `make(signature)`; drops the oldest entries when full. What `make` throws is not remembered. */
export function memoBySignature<T>(make: (signature: string) => T): (signature: string) => T {
  const known = new Map<string, T>();
  let characters = 0;
  return (signature) => {
    const found = known.get(signature);
    if (found !== undefined) return found;
    const made = make(signature);
    // A fixed part per entry, so that many tiny signatures are bounded too.
    characters += signature.length + 16;
    for (const oldest of known.keys()) {
      if (characters <= MAX_CACHED_SIGNATURE_CHARACTERS) break;
      known.delete(oldest);
      characters -= oldest.length + 16;
    }
    known.set(signature, made);
    return made;
  };
}
