// Drafts: what a form holds while somebody fills it in, and how it becomes a value. Layer: explorer; pure.
import type { ValueType } from './signature.ts';

/** Text for numbers, strings, bytes (hex) and dynamics (JSON); lists of drafts for the rest; null for "not set". */
export type Draft = string | boolean | null | Uint8Array | readonly Draft[];

/** An entry that does not fit; the message tells the person what to write. */
export class DraftError extends Error {
  override readonly name = 'DraftError';
}

/** What a field of this type begins with. */
export function emptyDraft(type: ValueType): Draft {
  switch (type.kind) {
    case 'bool':
      return false;
    case 'integer':
    case 'float':
      return '0';
    case 'dynamic':
      return 'null';
    case 'optional':
    case 'object':
    case 'unknown':
    case 'void':
      return null;
    case 'list':
    case 'map':
      return [];
    case 'tuple':
      return type.members.map((member) => emptyDraft(member.type));
    default:
      return '';
  }
}

/** The value of a draft, as the SDK takes it. @throws DraftError */
export function readDraft(type: ValueType, draft: Draft): unknown {
  switch (type.kind) {
    case 'bool':
      return draft === true;
    case 'integer':
      return readInteger(textOf(draft), type.bits, type.isSigned);
    case 'float': {
      const text = textOf(draft).trim();
      const value = Number(text);
      if (text === '' || (Number.isNaN(value) && text !== 'NaN')) throw new DraftError(`"${text}" is not a number`);
      return value;
    }
    case 'string':
      return textOf(draft);
    case 'raw':
      return draft instanceof Uint8Array ? draft : readHex(textOf(draft));
    case 'dynamic':
      return readJson(textOf(draft));
    case 'optional':
      return draft === null ? null : readDraft(type.item, itemsOf(draft)[0] ?? emptyDraft(type.item));
    case 'list':
      return itemsOf(draft).map((item) => readDraft(type.item, item));
    case 'map':
      return readMap(type.key, type.item, itemsOf(draft));
    case 'tuple': {
      const items = itemsOf(draft);
      const values = type.members
        .map((member) => member.type)
        .map((member, index) => readDraft(member, items[index] ?? emptyDraft(member)));
      const isNamed = type.members.length > 0 && type.members.every((member) => member.name !== '');
      return isNamed ? Object.fromEntries(type.members.map((member, index) => [member.name, values[index]])) : values;
    }
    case 'object':
    case 'void':
    case 'unknown':
      return null;
  }
}

/** The draft that stands for a value the robot sent, so that a property can be edited. */
export function draftOf(type: ValueType, value: unknown): Draft {
  switch (type.kind) {
    case 'bool':
      return value === true;
    case 'integer':
    case 'float':
    case 'string':
      return value === null || value === undefined ? emptyDraft(type) : String(value);
    case 'raw':
      return value instanceof Uint8Array ? value : '';
    case 'dynamic':
      return writeJson(value);
    case 'optional':
      return value === null || value === undefined ? null : [draftOf(type.item, value)];
    case 'list':
      return Array.isArray(value) ? value.map((item: unknown) => draftOf(type.item, item)) : [];
    case 'map':
      return entriesOf(value).map(([key, item]) => [draftOf(type.key, key), draftOf(type.item, item)]);
    case 'tuple':
      return type.members.map((member, index) => {
        const item = Array.isArray(value)
          ? (value[index] as unknown)
          : (value as Record<string, unknown> | null | undefined)?.[member.name];
        return item === undefined ? emptyDraft(member.type) : draftOf(member.type, item);
      });
    default:
      return null;
  }
}

function textOf(draft: Draft): string {
  return typeof draft === 'string' ? draft : '';
}

function itemsOf(draft: Draft): readonly Draft[] {
  return Array.isArray(draft) ? (draft as readonly Draft[]) : [];
}

function readInteger(text: string, bits: number, isSigned: boolean): number | bigint {
  const trimmed = text.trim();
  if (!/^[+-]?\d+$/.test(trimmed)) throw new DraftError(`"${trimmed}" is not a whole number`);
  const value = BigInt(trimmed.replace(/^\+/, ''));
  const fits = isSigned ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value);
  if (fits !== value) {
    const lowest = isSigned ? -(1n << BigInt(bits - 1)) : 0n;
    const highest = (1n << BigInt(isSigned ? bits - 1 : bits)) - 1n;
    throw new DraftError(`${trimmed} is outside ${lowest} … ${highest}`);
  }
  return bits === 64 ? value : Number(value);
}

/** @throws DraftError */
export function readHex(text: string): Uint8Array {
  const digits = text.replace(/[\s,:]|0x/g, '');
  if (!/^([0-9a-f]{2})*$/i.test(digits))
    throw new DraftError('Write bytes as pairs of hexadecimal digits, such as 0a ff 10');
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text.trim() === '' ? 'null' : text);
  } catch (error) {
    throw new DraftError(
      `This is not JSON (${error instanceof Error ? error.message : String(error)}); text needs double quotes`,
    );
  }
}

function writeJson(value: unknown): string {
  const plain = (_key: string, item: unknown): unknown => {
    if (typeof item === 'bigint') return Number(item);
    if (item instanceof Map) return Object.fromEntries(item);
    return item instanceof Uint8Array ? [...item] : item;
  };
  return JSON.stringify(value, plain) ?? 'null';
}

function readMap(key: ValueType, item: ValueType, pairs: readonly Draft[]): Map<unknown, unknown> {
  const map = new Map<unknown, unknown>();
  for (const pair of pairs) {
    const [keyDraft = emptyDraft(key), itemDraft = emptyDraft(item)] = itemsOf(pair);
    const name = readDraft(key, keyDraft);
    if (map.has(name)) throw new DraftError(`The key "${String(name)}" is there twice`);
    map.set(name, readDraft(item, itemDraft));
  }
  return map;
}

function entriesOf(value: unknown): readonly (readonly [unknown, unknown])[] {
  if (value instanceof Map) return [...(value as Map<unknown, unknown>)];
  return typeof value === 'object' && value !== null ? Object.entries(value) : [];
}
