// The text that `qiway types` writes.
import { method, property, signal } from '@qiway/protocol/objects/members';
import { describe, expect, it } from 'vitest';
import { generateTypes } from '../../sdk/cli/generate-types.ts';
import { metaObjectOf, recordedEcho, speech } from './metaobjects.ts';

const nothing = (): void => {};

function bodyOf(text: string, name: string): string {
  const start = text.indexOf(`export interface ${name} {`);
  return start < 0 ? '' : text.slice(start, text.indexOf('\n}', start));
}

describe('the generated interface file', () => {
  it('lists the services by name and describes each member', () => {
    const text = generateTypes([{ name: 'ALTextToSpeech', metaObject: speech() }]);
    expect(
      text,
    ).toBe(`// The services of a robot, written by \`qiway types\` from what they tell about themselves. Not to be edited: write it again.
import type { Property, Signal } from '@qiway/sdk';

export interface Services {
  ALTextToSpeech: ALTextToSpeech;
}

/** Speaks. */
export interface ALTextToSpeech {
  /**
   * Says a text.
   * @param text what to say
   */
  say(text: string): void;
  say(text: string, language: string): void;
  /**
   * What it speaks.
   * @returns names in English
   */
  languages(): string[];
  readonly volume: Property<number>;
  readonly wordSaid: Signal<[string]>;
}
`);
  });

  it('leaves out hidden members and services unless all are wanted', () => {
    const services = [
      { name: '_Secret', metaObject: speech() },
      { name: 'Open', metaObject: speech() },
    ];
    expect(generateTypes(services)).not.toMatch(/_debug|_Secret/);
    const all = generateTypes(services, { all: true });
    expect(all).toContain('_debug(...args: unknown[]): unknown;');
    expect(all).toContain('  _Secret: _Secret;');
  });

  it('never shows the members that every object has', () => {
    expect(generateTypes([{ name: 'Speech', metaObject: speech() }], { all: true })).not.toMatch(
      /registerEvent|enableTrace|traceObject/,
    );
  });

  it('keeps struct names, once for the same fields, with a number for others', () => {
    const shape = metaObjectOf({
      here: method('()', '(ii)<Point,x,y>', nothing),
      there: method('((ii)<Point,x,y>)', 'v', nothing, { parameters: ['point'] }),
      space: method('()', '(ddd)<Point,x,y,z>', nothing),
      path: method('()', '[(ii)<Point,x,y>]', nothing),
    });
    const text = generateTypes([{ name: 'Shape', metaObject: shape }]);
    expect(text).toContain('here(): Point;');
    expect(text).toContain('there(point: Point): void;');
    expect(text).toContain('space(): Point2;');
    expect(text).toContain('path(): Point[];');
    expect(bodyOf(text, 'Point')).toBe('export interface Point {\n  x: number;\n  y: number;');
    expect(bodyOf(text, 'Point2')).toBe('export interface Point2 {\n  x: number;\n  y: number;\n  z: number;');
    expect(text.match(/export interface Point /g)).toHaveLength(1);
  });

  it('does not confuse a struct with a service, an import or a built-in type of the same name', () => {
    const clash = metaObjectOf({
      a: method('()', '(i)<Clash,x>', nothing),
      b: method('()', '(i)<Signal,x>', nothing),
      c: method('()', '(i)<Map,x>', nothing),
      changed: signal('(i)'),
    });
    const text = generateTypes([{ name: 'Clash', metaObject: clash }]);
    expect(text).toContain('a(): Clash2;');
    expect(text).toContain('b(): Signal_;');
    expect(text).toContain('c(): Map_;');
  });

  it('takes more than it gives: 64-bit integers, lists, maps, objects', () => {
    const wide = metaObjectOf({
      numbers: method('(l[L])', '[l]', nothing, { parameters: ['one', 'many'] }),
      maps: method('({si}{is})', '{i{sm}}', nothing, { parameters: ['byName', 'byNumber'] }),
      objects: method('(o+s)', 'o', nothing, { parameters: ['target', 'label'] }),
      raw: method('(r)', '(sr)', nothing, { parameters: ['bytes'] }),
    });
    const body = bodyOf(generateTypes([{ name: 'Wide', metaObject: wide }]), 'Wide');
    expect(body).toContain('numbers(one: number | bigint, many: readonly (number | bigint)[]): bigint[];');
    expect(body).toContain(
      'maps(byName: Readonly<Record<string, number>> | ReadonlyMap<string, number>, byNumber: ReadonlyMap<number, string>): Map<number, Record<string, unknown>>;',
    );
    expect(body).toContain('objects(target: object | null, label: string | null): RemoteObject | null;');
    expect(body).toContain('raw(bytes: Uint8Array): [string, Uint8Array];');
  });

  it('quotes names that are no identifiers and mends those of parameters', () => {
    const odd = metaObjectOf({
      'no-identifier': method('(is)', 'v', nothing, { parameters: ['class', 'a b'] }),
      twice: method('(ii)', 'v', nothing, { parameters: ['same', 'same'] }),
      unnamed: method('(ii)', 'v', nothing),
      'a"b': property('(ii)<,1st,ok>', [0, 0]),
    });
    const text = generateTypes([{ name: 'my-service.1', metaObject: odd }]);
    expect(text).toContain('  "my-service.1": my_service_1;');
    expect(text).toContain('"no-identifier"(class_: number, a_b: string): void;');
    expect(text).toContain('twice(same: number, same2: number): void;');
    expect(text).toContain('unnamed(arg0: number, arg1: number): void;');
    expect(text).toContain(String.raw`readonly "a\"b": Property<`);
  });

  it('gives overloads that TypeScript cannot tell apart by their full names too', () => {
    const text = generateTypes([
      {
        name: 'Width',
        metaObject: metaObjectOf({
          f: [method('(i)', 's', nothing), method('(d)', 's', nothing), method('(s)', 's', nothing)],
        }),
      },
    ]);
    expect(text).toContain(
      '  f(arg0: number): string;\n  "f::(i)"(arg0: number): string;\n  "f::(d)"(arg0: number): string;\n  f(arg0: string): string;',
    );
  });

  it('offers by full names what JavaScript would call by itself, and what a name hides', () => {
    const hidden = metaObjectOf({
      release: method('()', 'v', nothing),
      toString: method('()', 's', nothing),
      toJSON: property('i', 0),
      state: [method('()', 's', nothing)],
    });
    const text = generateTypes([{ name: 'Hidden', metaObject: hidden }]);
    expect(text).toContain(
      '{\n  "release::()"(): void;\n  "toString::()"(): string;\n  state(): string;\n  readonly "toJSON::i": Property<number>;\n}',
    );
  });

  it('survives descriptions that try to end the comment', () => {
    const sly = metaObjectOf({
      x: method('()', 'v', nothing, { description: 'a */ export const b = 1; /*\n@deprecated no' }),
    });
    expect(generateTypes([{ name: 'Sly', metaObject: sly }])).toContain(
      '  /**\n   * a *\\/ export const b = 1; /*\n   * \\@deprecated no\n   */',
    );
  });

  it('does not depend on the order in which services come', () => {
    const services = [
      { name: 'B', metaObject: recordedEcho() },
      { name: 'A', metaObject: speech() },
    ];
    expect(generateTypes(services)).toBe(generateTypes(services.toReversed()));
  });

  it('describes the recorded Echo service', () => {
    const body = bodyOf(generateTypes([{ name: 'Echo', metaObject: recordedEcho() }]), 'Echo');
    expect(body).toContain('readonly count: Property<number>;');
    expect(body).toContain('readonly point: Property<Point>;');
    expect(body).toContain('readonly onPair: Signal<[number, string]>;');
    expect(body).toContain('readonly onObject: Signal<[RemoteObject | null]>;');
    expect(body).not.toContain('readonly count: Signal');
  });
});
