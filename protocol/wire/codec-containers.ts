// Codecs of lists, maps, tuples, structs and optionals. Layer 1; pure.
import type { Codec, CodecFunctions } from './codec.ts';
import { Some } from './dynamic.ts';
import { keyOfName, keyOrder } from './map-keys.ts';
import { located, mismatch } from './mismatch.ts';
import { type ElementNode, type MapNode, parseSignature, type SignatureNode, type TupleNode } from './signature.ts';

type Compile = (node: SignatureNode) => Codec;

export function containerCodec(node: ElementNode | MapNode | TupleNode, compile: Compile): CodecFunctions {
  switch (node.kind) {
    case 'tuple':
      return node.fieldNames === undefined
        ? tuple(node, node.members.map(compile))
        : struct(node, node.members.map(compile), node.fieldNames);
    case 'map':
      return map(node, compile(node.key), compile(node.value));
    case 'kwargs':
      return map(node, compile(parseSignature('s')), compile(node.element));
    case 'optional':
      return optional(compile(node.element));
    default:
      return list(node, compile(node.element));
  }
}

function list(node: SignatureNode, element: Codec): CodecFunctions {
  return {
    write(writer, value, options) {
      if (!isArrayLike(value)) throw mismatch(node, value);
      const { length } = value;
      writer.uint32(length);
      let index = 0;
      try {
        for (; index < length; index++) element.write(writer, value[index], options);
      } catch (thrown) {
        throw located(thrown, `element [${index}]`);
      }
    },
    read(reader, options) {
      const count = reader.count(element.node.minBytes);
      reader.enter();
      const values: unknown[] = [];
      for (let index = 0; index < count; index++) values.push(element.read(reader, options));
      return values;
    },
  };
}

/** An array or an array of numbers of a declared width. */
function isArrayLike(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
}

function map(node: SignatureNode, key: Codec, element: Codec): CodecFunctions {
  const order = keyOrder(key.node);
  const hasTextKeys = key.node.kind === 'string';
  return {
    write(writer, value, options) {
      const entries = entriesOf(value, key.node);
      if (entries === undefined) throw mismatch(node, value);
      if (order !== undefined) sortEntries(entries, order);
      writer.uint32(entries.length);
      for (const [name, content] of entries) {
        try {
          key.write(writer, name, options);
          element.write(writer, content, options);
        } catch (thrown) {
          throw located(thrown, `key ${typeof name === 'string' ? JSON.stringify(name) : String(name)}`);
        }
      }
    },
    read(reader, options) {
      const count = reader.count(key.node.minBytes + element.node.minBytes);
      reader.enter();
      let entries: Map<unknown, unknown> | undefined = hasTextKeys ? undefined : new Map();
      const record: Record<string, unknown> = {};
      for (let index = 0; index < count; index++) {
        const name = key.read(reader, options);
        // Bytes that are not UTF-8 cannot be a field: the whole becomes a Map.
        if (entries === undefined && typeof name !== 'string') entries = new Map(Object.entries(record));
        const content = element.read(reader, options);
        if (entries !== undefined) entries.set(name, content);
        else setField(record, name as string, content);
      }
      return entries ?? record;
    },
  };
}

function entriesOf(value: unknown, key: SignatureNode): [unknown, unknown][] | undefined {
  if (value instanceof Map) return [...value];
  if (!isRecord(value)) return undefined;
  return Object.keys(value).map((name) => [keyOfName(key, name), value[name]]);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return Object.prototype.toString.call(value) === '[object Object]' && !(value instanceof Map);
}

/** libqi sends a map in the order of its keys; most are in order already. */
function sortEntries(entries: [unknown, unknown][], order: (a: unknown, b: unknown) => number): void {
  for (let index = 1; index < entries.length; index++) {
    const [before, after] = [entries[index - 1], entries[index]];
    if (before !== undefined && after !== undefined && order(before[0], after[0]) > 0) {
      entries.sort(([a], [b]) => order(a, b));
      return;
    }
  }
}

/** Sets an own property whatever its name: `__proto__` is a field like any other. */
function setField(record: Record<string, unknown>, name: string, value: unknown): void {
  if (name === '__proto__')
    Object.defineProperty(record, name, { value, enumerable: true, configurable: true, writable: true });
  else record[name] = value;
}

function tuple(node: TupleNode, members: readonly Codec[]): CodecFunctions {
  return {
    write(writer, value, options) {
      if (!isArrayLike(value) || value.length !== members.length) throw mismatch(node, value);
      let index = 0;
      try {
        for (const member of members) {
          member.write(writer, value[index], options);
          index++;
        }
      } catch (thrown) {
        throw located(thrown, `member ${index + 1}`);
      }
    },
    read(reader, options) {
      reader.enter();
      const values: unknown[] = [];
      for (const member of members) values.push(member.read(reader, options));
      return values;
    },
  };
}

function struct(node: TupleNode, members: readonly Codec[], names: readonly string[]): CodecFunctions {
  return {
    write(writer, value, options) {
      const isArray = Array.isArray(value);
      if (isArray ? value.length !== members.length : !isRecord(value)) throw mismatch(node, value);
      let index = 0;
      for (const member of members) {
        const name = names[index] as string;
        try {
          if (!isArray && !Object.hasOwn(value as object, name) && member.node.kind !== 'optional')
            throw missing(node, name, value);
          member.write(writer, (value as Record<string, unknown>)[isArray ? index : name], options);
        } catch (thrown) {
          throw located(thrown, `field ${name}`);
        }
        index++;
      }
    },
    read(reader, options) {
      reader.enter();
      const record: Record<string, unknown> = {};
      let index = 0;
      for (const member of members) setField(record, names[index++] as string, member.read(reader, options));
      return record;
    },
  };
}

function missing(node: TupleNode, name: string, value: unknown): Error {
  return mismatch(node, value, `the field ${name} of ${node.name ?? 'the struct'}`);
}

/** Unset is null. What could be taken for unset while set is wrapped in Some (not where dynamics are unwrapped: there ease comes before it). */
function optional(element: Codec): CodecFunctions {
  const isAmbiguous = element.node.kind === 'optional' || element.node.kind === 'void';
  return {
    write(writer, value, options) {
      const isSet = value !== undefined && value !== null;
      writer.uint8(isSet ? 1 : 0);
      if (isSet) element.write(writer, value instanceof Some ? value.value : value, options);
    },
    read(reader, options) {
      if (reader.uint8() === 0) return null;
      if (!isAmbiguous) return element.read(reader, options);
      reader.enter();
      const value = element.read(reader, options);
      return options.dynamics === 'unwrapped' ? value : new Some(value);
    },
  };
}
