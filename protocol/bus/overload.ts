// Which overload of a method a call with JavaScript arguments means. Layer 2; pure.
// libqi's rules (facts on the qi protocol, "Conversions and choice of an overload"), with one addition: 1 and 1.0 are one value
// in JavaScript, so an integral number is an int first (i, then l, then other widths it fits) and a double second.
import { QiwayError } from '../errors.ts';
import { parseSignature, stripAnnotations } from '../wire/signature.ts';
import { Dynamic } from '../wire/value.ts';
import { argumentSignature } from './argument-signature.ts';
import { bestOverload, type ChooseOptions, type MethodSignature, noneFits } from './best-overload.ts';

export type { ChooseOptions, MethodSignature } from './best-overload.ts';

export interface Choice<M extends MethodSignature = MethodSignature> {
  readonly method: M;
  /** The payload of the call is `encodeValue(signature, value)`: the arguments, or one dynamic with their tuple for a method that takes any. */
  readonly signature: string;
  readonly value: unknown;
}

/**
 * A full name `name::(params)` picks that very method. A bare name: the one method of that name with as many parameters, whatever
 * its types (encoding says what does not fit); among several the one whose types fit best.
 * @throws member-not-found when no method has the name; argument-mismatch when none takes the arguments, or two take them equally well
 */
export function chooseMethod<M extends MethodSignature>(
  methods: readonly M[],
  nameOrFullName: string,
  args: readonly unknown[],
  options: ChooseOptions = {},
): Choice<M> {
  const [name = '', wanted] = splitFullName(nameOrFullName);
  const named = methods.filter((method) => method.name === name);
  if (named.length === 0)
    throw new QiwayError('member-not-found', `there is no method ${name}.`, { data: { member: name } });
  const candidates =
    wanted === undefined
      ? named.filter((method) => takesCount(method, args.length))
      : named.filter((method) => bare(method.parametersSignature) === bare(wanted) && takesCount(method, args.length));
  const [only] = candidates;
  if (only === undefined) throw noneFits(named, args, options);
  return choiceOf(candidates.length === 1 ? only : bestOverload(candidates, args, options), args, options);
}

function splitFullName(name: string): [string, string?] {
  const at = name.indexOf('::');
  return at < 0 ? [name] : [name.slice(0, at), name.slice(at + 2)];
}

/** Without annotations; text that is no signature equals nothing. */
function bare(signature: string): string {
  try {
    return stripAnnotations(signature);
  } catch {
    return signature;
  }
}

function takesCount(method: MethodSignature, count: number): boolean {
  const node = parseSignature(method.parametersSignature);
  return node.kind !== 'tuple' || node.members.length === count;
}

function choiceOf<M extends MethodSignature>(method: M, args: readonly unknown[], options: ChooseOptions): Choice<M> {
  const signature = method.parametersSignature;
  if (parseSignature(signature).kind !== 'dynamic') return { method, signature, value: args };
  return { method, signature, value: new Dynamic(argumentSignature(args, options.objects), args) };
}
