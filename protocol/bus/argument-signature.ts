// The type of arguments that go as one dynamic. Layer 2; pure.
import { inferSignature, type ObjectCodec } from '../wire/value.ts';

/** The signature of the tuple that these arguments are inside a dynamic. @throws invalid-argument for what cannot be sent */
export function argumentSignature(args: readonly unknown[], objects?: ObjectCodec): string {
  return `(${args.map((arg) => inferSignature(arg, objects)).join('')})`;
}
