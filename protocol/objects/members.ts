// What a hosted object is made of: methods, signals and properties written in JavaScript, and the metaobject they give.
// Layer 3; pure data, no calls.
import {
  FIRST_OWN_ACTION,
  type MetaMethod,
  type MetaObject,
  type MetaProperty,
  type MetaSignal,
  makeMetaObject,
} from '../bus/metaobject.ts';
import { STANDARD_METHODS, STANDARD_SIGNALS } from '../bus/standard-members.ts';
import { QiwayError } from '../errors.ts';
import { parseSignature } from '../wire/signature.ts';

/** Comes after the declared arguments of a method. */
export interface CallContext {
  /**
   * Calls `stop` when the caller cancels (at once if that has happened). A method that was asked to stop and then
   * rejects with a QiwayError `canceled` ends as cancelled; any other outcome is answered as usual.
   */
  onCancel(stop: () => void): void;
  /** Who calls, by identity only (the peer of a socket or link); undefined for a call from within this process. */
  readonly caller: object | undefined;
}

type AnyFunction = (...args: never[]) => unknown;

/** Texts for the metaobject. */
export interface AboutMethod {
  readonly description?: string;
  readonly parameters?: readonly (string | { readonly name: string; readonly description: string })[];
  readonly returnDescription?: string;
}

export interface MethodMember {
  readonly kind: 'method';
  /** A fixed id in place of the next number: for objects whose ids are history, such as the service directory. */
  readonly uid?: number;
  readonly parameters: string;
  readonly returns: string;
  readonly run: AnyFunction;
  readonly about: AboutMethod;
  /** A plain function: gets its arguments and no {@link CallContext}. */
  readonly isPlain?: boolean;
  /** It only asks: when it fails, nothing was done. */
  readonly isQuestion?: boolean;
  /** It passes on what another object said: its errors go as they are. */
  readonly isRelay?: boolean;
  /** Gets its arguments as a payload and may give one: for the methods of every object. */
  readonly isRaw?: boolean;
}

export interface SignalMember {
  readonly kind: 'signal';
  /** As for a method. */
  readonly uid?: number;
  readonly signature: string;
}

export interface AboutProperty {
  /** Sees a value before it is stored, and returns what to store; may throw to refuse. Absent: stored as it came. */
  readonly set?: (value: never) => unknown;
  readonly description?: string;
}

export interface PropertyMember {
  readonly kind: 'property';
  readonly signature: string;
  readonly initial: unknown;
  readonly about: AboutProperty;
}

/** An object by its members. A plain function of n parameters is a method `(m…)` returning `m`. */
export type Members = {
  readonly [name: string]: MethodMember | readonly MethodMember[] | SignalMember | PropertyMember | AnyFunction;
};

/**
 * A method. `run` gets the decoded arguments, then one {@link CallContext}; what it returns or resolves to is the result.
 * @param parameters a tuple such as `(is)`, or `m`: any arguments
 * @param returns `v` for nothing
 */
export function method(parameters: string, returns: string, run: AnyFunction, about: AboutMethod = {}): MethodMember {
  return { kind: 'method', parameters, returns, run, about };
}

/** A signal; `signature` is a tuple such as `(is)`. */
export function signal(signature: string): SignalMember {
  return { kind: 'signal', signature };
}

/** A property; `signature` is its bare type. Subscribers of its id hear of every value stored. */
export function property(signature: string, initial: unknown, about: AboutProperty = {}): PropertyMember {
  return { kind: 'property', signature, initial, about };
}

/** The members by id, and what the object tells about itself. */
export interface Layout {
  readonly metaObject: MetaObject;
  readonly methods: ReadonlyMap<number, MethodMember>;
  readonly properties: ReadonlyMap<number, PropertyMember & { readonly name: string }>;
  /** Signals and properties, by name. */
  readonly idByName: ReadonlyMap<string, number>;
}

/**
 * Numbers the members from 100: methods, then signals, then properties, each in key order, as libqi's builder numbers in
 * order of declaration.
 * @throws `invalid-argument` for a signature that is none
 */
export function layOut(members: Members, description = ''): Layout {
  const metaMethods = new Map<number, MetaMethod>(STANDARD_METHODS.map((one) => [one.uid, one]));
  const metaSignals = new Map<number, MetaSignal>(STANDARD_SIGNALS.map((one) => [one.uid, one]));
  const metaProperties = new Map<number, MetaProperty>();
  const methods = new Map<number, MethodMember>();
  const properties = new Map<number, PropertyMember & { readonly name: string }>();
  const idByName = new Map<string, number>();
  const all = Object.entries(members).flatMap(([name, given]) =>
    membersOf(name, given, members).map((member) => ({ name, member })),
  );
  let uid = FIRST_OWN_ACTION;
  for (const { name, member } of all) {
    if (member.kind !== 'method') continue;
    const { parameters, returns, about } = member;
    checkTuple(name, parameters, parameters === 'm');
    check(name, returns);
    const described = (about.parameters ?? []).map((one) =>
      typeof one === 'string' ? { name: one, description: '' } : one,
    );
    const id = member.uid ?? uid++;
    metaMethods.set(id, {
      uid: id,
      returnSignature: returns,
      name,
      parametersSignature: parameters,
      description: about.description ?? '',
      parameters: described,
      returnDescription: about.returnDescription ?? '',
    });
    methods.set(id, member);
  }
  for (const { name, member } of all) {
    if (member.kind !== 'signal') continue;
    checkTuple(name, member.signature, false);
    const id = member.uid ?? uid++;
    idByName.set(name, id);
    metaSignals.set(id, { uid: id, name, signature: member.signature });
  }
  for (const { name, member } of all) {
    if (member.kind !== 'property') continue;
    check(name, member.signature);
    idByName.set(name, uid);
    properties.set(uid, { ...member, name });
    metaSignals.set(uid, { uid, name, signature: `(${member.signature})` });
    metaProperties.set(uid, { uid: uid++, name, signature: member.signature });
  }
  return {
    metaObject: makeMetaObject({ methods: metaMethods, signals: metaSignals, properties: metaProperties, description }),
    methods,
    properties,
    idByName,
  };
}

function membersOf(
  name: string,
  given: Members[string],
  owner: Members,
): readonly (MethodMember | SignalMember | PropertyMember)[] {
  if (typeof given === 'function')
    return [{ ...method(`(${'m'.repeat(given.length)})`, 'm', given.bind(owner)), isPlain: true }];
  if (!isMember(given))
    throw new QiwayError(
      'invalid-argument',
      `Member "${name}" is neither a function nor made by method(), signal() or property().`,
      { data: { expected: 'a member', path: name } },
    );
  return 'kind' in given ? [given] : given;
}

/** True for what may be a member. */
export function isMember(value: unknown): value is Members[string] {
  if (Array.isArray(value)) return value.length > 0 && value.every((one) => typeof one === 'object' && isMember(one));
  return (
    typeof value === 'function' ||
    (typeof value === 'object' && value !== null && 'kind' in value && KINDS.has(value.kind))
  );
}

const KINDS: ReadonlySet<unknown> = new Set(['method', 'signal', 'property']);

function checkTuple(name: string, signature: string, isAny: boolean): void {
  if (check(name, signature) !== 'tuple' && !isAny) throw refused(name, signature, 'a tuple such as (is)');
}

function check(name: string, signature: string): string {
  try {
    return parseSignature(signature).kind;
  } catch {
    throw refused(name, signature, 'a signature');
  }
}

function refused(name: string, signature: string, expected: string): QiwayError {
  return new QiwayError(
    'invalid-argument',
    `Member "${name}" is declared with "${signature}", which is not ${expected}.`,
    { data: { expected, path: name } },
  );
}
