// Which member of an object a name in a URL means, and which overload an array of JSON takes. Pure.

import { argumentSignature } from '../bus/argument-signature.ts';
import {
  FIRST_OWN_ACTION,
  type MetaMethod,
  type MetaObject,
  type MetaProperty,
  type MetaSignal,
  StandardAction,
} from '../bus/metaobject.ts';
import { chooseMethod } from '../bus/overload.ts';
import { isQiwayError, QiwayError } from '../errors.ts';
import { nearestNames, suggestion } from '../nearest-names.ts';
import { fromJson } from '../objects/json.ts';
import { parseSignature, stripAnnotations } from '../wire/signature.ts';
import { Dynamic } from '../wire/value.ts';

/** All that one name of an object stands for; at least one of them. */
export interface Member {
  readonly name: string;
  readonly methods: readonly MetaMethod[];
  readonly signal: MetaSignal | undefined;
  readonly property: MetaProperty | undefined;
}

/** Properties, statistics and the object's own; not what manages subscriptions and lifetime: the door does that itself. */
function isReachable(method: MetaMethod): boolean {
  const { property, setProperty, properties, isStatsEnabled } = StandardAction;
  return (
    method.uid >= isStatsEnabled ||
    method.uid >= FIRST_OWN_ACTION ||
    [property, setProperty, properties].some((uid) => uid === method.uid)
  );
}

/** @param name a bare name, or a full name `name::(parameters)`. @throws `member-not-found` with names that look alike */
export function findMember(object: MetaObject, name: string, service: string): Member {
  const [bare = '', signature] = splitFullName(name);
  const methods = [...object.methods.values()].filter(
    (method) =>
      method.name === bare &&
      isReachable(method) &&
      (signature === undefined || isSame(method.parametersSignature, signature)),
  );
  const byName = <T extends { name: string }>(members: ReadonlyMap<number, T>): T | undefined =>
    signature === undefined ? [...members.values()].find((member) => member.name === bare) : undefined;
  const property = byName(object.properties);
  const signal = property === undefined ? byName(object.signals) : undefined;
  if (methods.length > 0 || signal !== undefined || property !== undefined) return { name, methods, signal, property };
  const nearest = nearestMembers(object, bare);
  throw new QiwayError('member-not-found', `${service} has no member ${name}.${suggestion(nearest)}`, {
    data: { member: name, nearest },
  });
}

function nearestMembers(object: MetaObject, bare: string): string[] {
  const same = [...object.methods.values()].filter((method) => method.name === bare && isReachable(method));
  if (same.length > 0) return same.map(fullName);
  const all = [...object.methods.values(), ...object.signals.values(), ...object.properties.values()];
  return nearestNames(
    bare,
    all.filter((member) => member.uid >= FIRST_OWN_ACTION).map((member) => member.name),
  );
}

export function fullName(method: MetaMethod): string {
  return `${method.name}::${method.parametersSignature}`;
}

function splitFullName(name: string): [string, string | undefined] {
  const at = name.indexOf('::');
  return at < 0 ? [name, undefined] : [name.slice(0, at), name.slice(at + 2)];
}

function isSame(signature: string, wanted: string): boolean {
  try {
    return stripAnnotations(signature) === stripAnnotations(wanted);
  } catch {
    return false;
  }
}

export interface ReadyCall {
  readonly method: MetaMethod;
  /** To encode with the method's parameter signature. */
  readonly value: unknown;
}

/**
 * The overload that takes these arguments: the one of that count whose types they fit; among several, the one that
 * libqi's rules choose.
 * @throws `argument-mismatch` with the candidates; `invalid-argument` with the place
 */
export function chooseForJson(member: Member, args: readonly unknown[]): ReadyCall {
  const fitting = member.methods.filter((method) => takesCount(method, args.length));
  if (fitting.length === 1) return readCall(fitting[0] as MetaMethod, args);
  const ready: ReadyCall[] = [];
  for (const method of fitting) {
    try {
      ready.push(readCall(method, args));
    } catch (error) {
      if (!isQiwayError(error)) throw error;
    }
  }
  if (ready.length === 1) return ready[0] as ReadyCall;
  if (ready.length > 1) {
    const { uid } = chooseMethod(
      ready.map((call) => call.method),
      member.name,
      args,
    ).method;
    const chosen = ready.find((call) => call.method.uid === uid);
    if (chosen !== undefined) return chosen;
  }
  const candidates = member.methods.map(fullName);
  throw new QiwayError(
    'argument-mismatch',
    `${member.name} takes ${candidates.map((name) => name.slice(name.indexOf('::') + 2)).join(' or ')}, not ${argumentSignature(args)}.`,
    {
      data: { candidates },
    },
  );
}

/**
 * The overload that takes these arguments and then bytes: the one whose last parameter is a raw, else one that takes anything
 * there.
 * @throws `argument-mismatch` with the candidates; `invalid-argument` with the place
 */
export function chooseForBytes(member: Member, args: readonly unknown[], bytes: Uint8Array): ReadyCall {
  for (const kind of ['raw', 'dynamic'] as const) {
    for (const method of member.methods) {
      const node = parseSignature(method.parametersSignature);
      if (node.kind !== 'tuple' || node.members.length !== args.length + 1 || node.members.at(-1)?.kind !== kind)
        continue;
      // Bytes pass as they are: written as JSON they would be half as large again.
      const given = args.map((arg, index) => fromJson(node.members[index]?.text ?? 'm', arg));
      return { method, value: [...given, bytes] };
    }
  }
  const candidates = member.methods.map(fullName);
  throw new QiwayError('argument-mismatch', `${member.name} takes no bytes as its argument ${args.length + 1}.`, {
    data: { candidates },
  });
}

function takesCount(method: MetaMethod, count: number): boolean {
  const node = parseSignature(method.parametersSignature);
  return node.kind !== 'tuple' || node.members.length === count;
}

function readCall(method: MetaMethod, args: readonly unknown[]): ReadyCall {
  const isAny = parseSignature(method.parametersSignature).kind !== 'tuple';
  if (!isAny) return { method, value: fromJson(method.parametersSignature, args) };
  // A method that takes any arguments: one dynamic that holds their tuple.
  const values = fromJson('[m]', args) as unknown[];
  return { method, value: new Dynamic(argumentSignature(values), values) };
}
