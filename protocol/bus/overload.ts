// Which overload of a method a call with JavaScript arguments means. Layer 2; pure.
// libqi's rules (facts on the qi protocol, "Conversions and choice of an overload"), with one addition: 1 and 1.0 are one value
// in JavaScript, so an integral number is an int first (i, then l, then other widths it fits) and a double second.
import { QiwayError } from '../errors.ts';
import { describeValue } from '../wire/mismatch.ts';
import { parseSignature, stripAnnotations } from '../wire/signature.ts';
import { Dynamic, type ObjectCodec } from '../wire/value.ts';
import { type ArgumentScorer, scoreArgument } from './argument-score.ts';
import { argumentSignature } from './argument-signature.ts';

/** What is known of a method for choosing it. */
export interface MethodSignature {
  readonly uid: number;
  readonly name: string;
  /** A tuple, or `m` for any arguments. */
  readonly parametersSignature: string;
}

export interface Choice<M extends MethodSignature = MethodSignature> {
  readonly method: M;
  /** The payload of the call is `encodeValue(signature, value)`: the arguments, or one dynamic with their tuple for a method that takes any. */
  readonly signature: string;
  readonly value: unknown;
}

export interface ChooseOptions {
  /** Tells which values are sent as objects. */
  readonly objects?: ObjectCodec;
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
  if (only === undefined) throw noneFits(name, named, args, options);
  return choiceOf(candidates.length === 1 ? only : best(name, candidates, args, options), args, options);
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

function best<M extends MethodSignature>(
  name: string,
  candidates: readonly M[],
  args: readonly unknown[],
  options: ChooseOptions,
): M {
  let chosen: readonly M[] = [];
  let highest = 0;
  for (const method of candidates) {
    const score = scoreMethod(method, args, options);
    if (score > highest) {
      highest = score;
      chosen = [method];
    } else if (score === highest && score > 0) chosen = [...chosen, method];
  }
  const [winner] = chosen;
  if (winner === undefined) throw noneFits(name, candidates, args, options);
  if (chosen.length > 1) {
    const names = chosen.map(fullName);
    throw new QiwayError(
      'argument-mismatch',
      `${names.join(' and ')} fit ${came(args, options)} equally well; call one by its full name.`,
      {
        data: { candidates: names },
      },
    );
  }
  return winner;
}

function scoreMethod(method: MethodSignature, args: readonly unknown[], options: ChooseOptions): number {
  const node = parseSignature(method.parametersSignature);
  // Any arguments: as good as one dynamic.
  if (node.kind !== 'tuple') return 0.95;
  const scorer: ArgumentScorer = { isObject: (value) => options.objects?.is(value) === true };
  return node.members.reduce(
    (product, member, index) => (product === 0 ? 0 : product * scoreArgument(member, args[index], scorer)),
    1,
  );
}

function noneFits(
  name: string,
  candidates: readonly MethodSignature[],
  args: readonly unknown[],
  options: ChooseOptions,
): QiwayError {
  const names = candidates.map(fullName);
  return new QiwayError(
    'argument-mismatch',
    `${name} takes ${names.map((full) => full.slice(name.length + 2)).join(' or ')}, not ${came(args, options)}.`,
    {
      data: { candidates: names },
    },
  );
}

function fullName(method: MethodSignature): string {
  return `${method.name}::${method.parametersSignature}`;
}

/** What came, for a message: also where a value has no signature. */
function came(args: readonly unknown[], options: ChooseOptions): string {
  try {
    return argumentSignature(args, options.objects);
  } catch {
    return `(${args.map(describeValue).join(', ')})`;
  }
}
