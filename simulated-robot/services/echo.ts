// QiwayEcho: gives back what it gets, in every type of the protocol; for tests, explorers and measurements.
import {
  createObject,
  type HostedObject,
  type Members,
  method,
  property,
  signal,
} from '@qiway/protocol/objects/hosted-object';
import { within } from './checks.ts';
import { echoObjects } from './echo-objects.ts';
import { echoTimes } from './echo-times.ts';
import type { Surroundings } from './surroundings.ts';

const TYPES: Readonly<Record<string, string>> = {
  echoBool: 'b',
  echoInt8: 'c',
  echoUint8: 'C',
  echoInt16: 'w',
  echoUint16: 'W',
  echoInt32: 'i',
  echoUint32: 'I',
  echoInt64: 'l',
  echoUint64: 'L',
  echoFloat: 'f',
  echoDouble: 'd',
  echoString: 's',
  echoRaw: 'r',
  echoInts: '[i]',
  echoStrings: '[s]',
  echoLists: '[[f]]',
  echoMap: '{si}',
  echoIntMap: '{is}',
  echoTuple: '(isb)',
  echoPoint: '(dds)<Point,x,y,name>',
  echoPoints: '[(dds)<Point,x,y,name>]',
  echoOptional: '+i',
  echoDynamic: 'm',
  echoDynamicMap: '{sm}',
};

/** Largest raw made on request: 64 MiB. */
const MAX_RAW_BYTES = 64 * 1024 * 1024;

export function createEcho(surroundings: Surroundings): HostedObject {
  const emit = (name: string, ...args: unknown[]): void => object.emit(name, ...args);
  const echoes: Members = Object.fromEntries(
    Object.entries(TYPES).map(([name, type]) => [
      name,
      method(`(${type})`, type, (value: unknown) => value, {
        description: `Gives back a value of type ${type}.`,
        parameters: [{ name: 'value', description: type }],
      }),
    ]),
  );
  const add = (a: number | string, b: number | string): number | string =>
    typeof a === 'number' && typeof b === 'number' ? a + b : `${a}${b}`;
  const addMethod = (type: string) =>
    method(`(${type}${type})`, type, add, {
      description: 'Adds two values; there is one for each of three types.',
      parameters: ['a', 'b'],
    });
  const object: HostedObject = createObject(
    {
      nothing: method('()', 'v', () => undefined, { description: 'Does nothing.' }),
      ...echoes,
      echoVarArgs: method('(#s)', '[s]', (values: unknown) => values, {
        description: 'Gives back variable arguments as a list.',
        parameters: ['values'],
      }),
      echoAny: method('m', 'm', (...args: unknown[]) => args.slice(0, -1), {
        description: 'Takes any arguments and gives them back as a list.',
      }),
      add: [addMethod('i'), addMethod('d'), addMethod('s')],
      raw: method('(I)', 'r', (size: number) => rawOf(within('size', size, { min: 0, max: MAX_RAW_BYTES })), {
        description: 'Makes a raw buffer; byte i is i modulo 251.',
        parameters: [{ name: 'size', description: `Bytes, up to ${MAX_RAW_BYTES}` }],
      }),
      rawLength: method('(r)', 'I', (bytes: Uint8Array) => bytes.length, {
        description: 'The length of a raw buffer.',
        parameters: ['bytes'],
      }),
      fail: method(
        '(s)',
        'v',
        (text: string) => {
          throw new Error(text);
        },
        { description: 'Fails with a text.', parameters: ['text'] },
      ),
      ...echoTimes(surroundings, emit),
      ...echoObjects(surroundings),
      tick: signal('(I)'),
      said: signal('(sm)'),
      text: property('s', 'hello'),
      number: property('i', 7, { set: (value: number) => within('number', value, { min: -1000, max: 1000 }) }),
      list: property('[i]', [1, 2, 3]),
      point: property('(dds)<Point,x,y,name>', { x: 1, y: 2, name: 'here' }),
      settings: property('{sm}', { color: 'green', size: 3 }),
      anything: property('m', 0),
    },
    {
      description: 'Gives back what it gets, in every type; counters, ticks, slow and failing calls.',
      mapper: surroundings.objects,
    },
  );
  return object;
}

function rawOf(size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  for (let index = 0; index < size; index++) bytes[index] = index % 251;
  return bytes;
}
