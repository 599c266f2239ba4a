// Which of several overloads of one method fits the arguments best. Layer 2; pure. See overload.ts.
import { QiwayError } from '../errors.ts';
import { describeValue } from '../wire/mismatch.ts';
import { parseSignature } from '../wire/signature.ts';
import type { ObjectCodec } from '../wire/value.ts';
import { type ArgumentScorer, scoreArgument } from './argument-score.ts';
import { argumentSignature } from './argument-signature.ts';

/** What is known of a method for choosing it. */
export interface MethodSignature {
  readonly uid: number;
  readonly name: string;
  /** A tuple, or `m` for any arguments. */
  readonly parametersSignature: string;
}

export interface ChooseOptions {
  /** Tells which values are sent as objects. */
  readonly objects?: ObjectCodec;
}

/** Of one name. @throws argument-mismatch when none takes the arguments, or two take them equally well */
export function bestOverload<M extends MethodSignature>(
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
  if (winner === undefined) throw noneFits(candidates, args, options);
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

/** @param candidates of one name, one at least */
export function noneFits(
  candidates: readonly MethodSignature[],
  args: readonly unknown[],
  options: ChooseOptions,
): QiwayError {
  const names = candidates.map(fullName);
  const name = candidates[0]?.name ?? '';
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
