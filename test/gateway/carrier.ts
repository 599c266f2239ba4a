// A service that gives and takes objects, in every container a value can have, and counts what others hold of it.
import type { BusObject } from '../../protocol/bus/bus.ts';
import { busObjectOf } from '../../protocol/objects/values.ts';
import { createObject, Dynamic, type HostedObject, method, property, signal } from '../../robot-agent/qi/index.ts';
import { Collected, callMethod, watch } from '../contract/calls.ts';

/** Containers by name: their signature, and how they hold two objects. */
export const CONTAINERS: Readonly<
  Record<string, { readonly signature: string; readonly of: (a: unknown, b: unknown) => unknown }>
> = {
  list: { signature: '[o]', of: (a, b) => [a, b] },
  map: { signature: '{so}', of: (a, b) => ({ a, b }) },
  struct: { signature: '(oso)<Pair,first,name,second>', of: (first, second) => ({ first, name: 'pair', second }) },
  tuple: { signature: '(oo)', of: (a, b) => [a, b] },
  dynamic: { signature: 'm', of: (a, b) => new Dynamic('[o]', [a, b]) },
  listOfDynamics: { signature: '[m]', of: (a, b) => [a, b, 'no object'] },
  mapOfDynamics: { signature: '{sm}', of: (a, b) => ({ a, b, c: 3 }) },
  optional: { signature: '(+o+o+o)', of: (a, b) => [a, b, null] },
  deep: { signature: '[{s(oi)<Entry,thing,number>}]', of: (a, b) => [{ x: [a, 1] }, { y: [b, 2] }] },
};

export interface Carrier {
  /** Its maker's reference goes to whoever hosts it. */
  readonly object: HostedObject;
  /** How many things were out after each change. */
  readonly out: Collected<number>;
  /** Codes of what the objects that it kept ended with. */
  readonly lost: Collected<string>;
  /** A thing with this value, counted while somebody holds it. */
  thing(value: number): HostedObject;
}

/** For `out.until`: all that was handed out was let go of. */
export const noneIsOut = (all: readonly number[]): boolean => all.at(-1) === 0;

export function createCarrier(): Carrier {
  const out = new Collected<number>();
  const lost = new Collected<string>();
  const kept: BusObject[] = [];
  const heard: unknown[] = [];
  let count = 0;
  const change = (by: number): void => {
    count += by;
    out.add(count);
  };
  const thing = (start: number): HostedObject => {
    const made: HostedObject = createObject(
      {
        value: method('()', 'i', () => made.get('amount')),
        add: method('(i)', 'i', (by: number) => {
          made.set('amount', (made.get('amount') as number) + by);
          made.emit('added', by);
          return made.get('amount');
        }),
        added: signal('(i)'),
        amount: property('i', start),
      },
      { onUnused: () => made.release() },
    );
    change(1);
    made.onGone(() => change(-1));
    return made;
  };
  const all = Object.entries(CONTAINERS);
  const takes = all.map(([name, { signature }]) => [
    `take_${name}`,
    method(`(${signature})`, 'i', async (value: unknown) => {
      const objects = objectsIn(value);
      const values = await Promise.all(objects.map((each) => callMethod(each, 'value') as Promise<number>));
      for (const each of objects) each.release();
      return values.reduce((sum, each) => sum + each, 0);
    }),
  ]);
  const gives = all.map(([name, { signature, of }]) => [
    `give_${name}`,
    method('()', signature, () => of(thing(1), thing(2))),
  ]);
  const emits = all.map(([name, { of }]) => [
    `emit_${name}`,
    method('()', 'v', () => object.emit(`on_${name}`, of(thing(1), thing(2)))),
  ]);
  const signals = all.map(([name, { signature }]) => [`on_${name}`, signal(`(${signature})`)]);
  const object: HostedObject = createObject({
    ...Object.fromEntries([...takes, ...gives, ...emits, ...signals]),
    give: method('(i)', 'o', thing),
    giveMany: method('(i)', '[o]', (howMany: number) => Array.from({ length: howMany }, (_, index) => thing(index))),
    keep: method('(o)', 's', (given: BusObject) => {
      kept.push(given);
      given.onGone((error) => lost.add(error.code));
      return hex(given.uid);
    }),
    kept: method('()', 'o', () => kept.at(-1) ?? null),
    callKept: method('()', 'i', () => callMethod(kept.at(-1) as BusObject, 'value')),
    hearKept: method('()', 'v', async () => {
      const watched = watch(kept.at(-1) as BusObject, 'added');
      await watched.ready;
      watched.events.until((events) => {
        heard.splice(0, heard.length, ...events.flat());
        return false;
      });
    }),
    heard: method('()', '[i]', () => heard),
    drop: method('()', 'v', () => {
      for (const each of kept.splice(0)) each.release();
    }),
    listLength: method('([o])', 'i', (given: readonly (BusObject | null)[]) => {
      const nulls = given.filter((each) => each === null).length;
      for (const each of given) each?.release();
      return nulls;
    }),
    out: method('()', 'i', () => count),
    held: property('o', null),
  });
  return { object, out, lost, thing };
}

/** All objects anywhere in a decoded value. */
export function objectsIn(value: unknown): BusObject[] {
  const object = busObjectOf(value);
  if (object !== undefined) return [object];
  if (Array.isArray(value)) return value.flatMap(objectsIn);
  if (value instanceof Map) return [...value.values()].flatMap(objectsIn);
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(objectsIn) : [];
}

export function hex(uid: Uint8Array): string {
  return Buffer.from(uid).toString('hex');
}
