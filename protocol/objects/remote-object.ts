// Objects of the robot as JavaScript objects, built by walking their metaobject: a member that is not there throws.
// Layer 3; knows the BusObject it stands for, no session.
import type { BusObject } from '../bus/bus.ts';
import type { MetaMethod, MetaObject } from '../bus/metaobject.ts';
import { QiwayError } from '../errors.ts';
import { Turns } from '../turns.ts';
import { memberNotFound } from './member-not-found.ts';
import type { Remote, RemoteObjectOptions } from './remote.ts';
import { remoteProperty, remoteSignal } from './remote-events.ts';
import { remoteMethod } from './remote-method.ts';
import type { RemoteObject } from './remote-types.ts';
import { BUS_OBJECT, busObjectOf, isSameSignature } from './values.ts';

/** First id that is offered by its bare name: below are registrations and the like, which others do. */
const FIRST_OFFERED_ACTION = 5;
const REGISTER_WITH_SIGNATURE = 8;
const FIRST_OWN_ACTION = 100;
/** What libraries ask any object for, to know what it is; `await` and JSON ask for the first two. */
const PROBES: ReadonlySet<string> = new Set(['then', 'toJSON', '$$typeof', 'nodeType', 'asymmetricMatch', 'inspect']);

/** A member of such a name would be called by the machinery of JavaScript; it can be reached by its full name only. */
function isMachinery(name: string): boolean {
  return name === 'then' || name === 'toJSON' || name in Object.prototype;
}

/**
 * The JavaScript object for `object`, whose reference it takes over. Members are those of the metaobject; overloads and
 * members whose name is taken (`release`, `then`) by full name, e.g. `object['release::()'](…)`.
 */
export function remoteObject<T>(object: BusObject, options: RemoteObjectOptions): RemoteObject<T> {
  const { metaObject } = object;
  const built = new Map<string, unknown>();
  let isReleased = false;

  const release = (): void => {
    if (isReleased) return;
    isReleased = true;
    options.registry?.unregister(remote);
    object.release();
  };
  const check = (): BusObject => {
    if (isReleased) throw new QiwayError('object-gone', 'The object was released; ask the robot for it again.');
    return object;
  };

  const ownNames = (): string[] => {
    const names = new Set<string>();
    for (const members of [metaObject.methods, metaObject.signals, metaObject.properties]) {
      for (const { uid, name } of members.values()) if (uid >= FIRST_OWN_ACTION && !isMachinery(name)) names.add(name);
    }
    return [...names];
  };

  const build = (key: string): unknown => {
    const at = key.indexOf('::');
    const name = at < 0 ? key : key.slice(0, at);
    const signature = at < 0 ? undefined : key.slice(at + 2);
    if (signature === undefined && isMachinery(name)) return undefined;
    const fits = (member: { readonly uid: number; readonly name: string }, own: string): boolean =>
      member.name === name && (signature === undefined || isSameText(own, signature));
    const methods: MetaMethod[] = [];
    for (const method of metaObject.methods.values())
      if (isOffered(method.uid) && fits(method, method.parametersSignature)) methods.push(method);
    if (methods.length > 0) return remoteMethod(remote, name, methods);
    for (const property of metaObject.properties.values())
      if (fits(property, property.signature)) return remoteProperty(remote, property);
    for (const signal of metaObject.signals.values())
      if (fits(signal, signal.signature)) return remoteSignal(remote, signal);
    return undefined;
  };

  const member = (key: string): unknown => {
    const known = built.get(key);
    if (known !== undefined) return known;
    const made = key === 'release' ? release : build(key);
    if (made !== undefined) built.set(key, made);
    return made;
  };

  const target = {};
  const proxy = new Proxy(target, {
    get: (_, key) => {
      if (typeof key === 'symbol') {
        if (key === BUS_OBJECT) return check();
        if (key === Symbol.dispose) return release;
        return key === Symbol.toStringTag ? 'RemoteObject' : undefined;
      }
      const found = member(key);
      if (found !== undefined) return found;
      if (PROBES.has(key) || key in target) return Reflect.get(target, key);
      throw memberNotFound(key, ownNames());
    },
    has: (_, key) =>
      key === BUS_OBJECT || key === Symbol.dispose || (typeof key === 'string' && member(key) !== undefined),
    ownKeys: ownNames,
    getOwnPropertyDescriptor: (_, key) => {
      const value = typeof key === 'string' ? member(key) : undefined;
      return value === undefined ? undefined : { value, enumerable: true, configurable: true, writable: false };
    },
    set: (_, key) => {
      throw new QiwayError(
        'invalid-argument',
        `"${String(key)}" cannot be assigned; a property is set by "await object.${String(key)}.setValue(…)".`,
      );
    },
  });

  const remote: Remote = { ...options, check, owner: proxy, turns: new Turns() };
  options.registry?.register(proxy, object, remote);
  return proxy as RemoteObject<T>;
}

function isOffered(action: number): boolean {
  return action >= FIRST_OFFERED_ACTION && action !== REGISTER_WITH_SIGNATURE;
}

/** Equal signatures; what is no signature is equal to none. */
function isSameText(own: string, wanted: string): boolean {
  try {
    return isSameSignature(own, wanted);
  } catch {
    return false;
  }
}

/** What a remote object can do, as it says itself. @throws `invalid-argument` for what is no object of a robot; `object-gone` */
export function metaObjectOf(object: object): MetaObject {
  const { metaObject } = busObjectOf(object) ?? {};
  if (metaObject === undefined)
    throw new QiwayError('invalid-argument', 'Expected an object of the robot.', { data: { expected: 'o' } });
  return metaObject;
}
