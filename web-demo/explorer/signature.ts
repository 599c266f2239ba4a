// Signatures as trees, as far as a form needs them. Layer: explorer; pure. The words are those of the qi protocol.

export type ValueType =
  | { readonly kind: 'void' | 'bool' | 'string' | 'raw' | 'dynamic' | 'object' | 'unknown' }
  | { readonly kind: 'integer'; readonly bits: 8 | 16 | 32 | 64; readonly isSigned: boolean }
  | { readonly kind: 'float' }
  | { readonly kind: 'list'; readonly item: ValueType }
  | { readonly kind: 'map'; readonly key: ValueType; readonly item: ValueType }
  | { readonly kind: 'optional'; readonly item: ValueType }
  | { readonly kind: 'tuple'; readonly name: string; readonly members: readonly Member[] };

export interface Member {
  /** Empty in a tuple without names. */
  readonly name: string;
  readonly type: ValueType;
}

const LETTERS: Readonly<Record<string, ValueType>> = {
  v: { kind: 'void' },
  b: { kind: 'bool' },
  c: { kind: 'integer', bits: 8, isSigned: true },
  C: { kind: 'integer', bits: 8, isSigned: false },
  w: { kind: 'integer', bits: 16, isSigned: true },
  W: { kind: 'integer', bits: 16, isSigned: false },
  i: { kind: 'integer', bits: 32, isSigned: true },
  I: { kind: 'integer', bits: 32, isSigned: false },
  l: { kind: 'integer', bits: 64, isSigned: true },
  L: { kind: 'integer', bits: 64, isSigned: false },
  f: { kind: 'float' },
  d: { kind: 'float' },
  s: { kind: 'string' },
  r: { kind: 'raw' },
  m: { kind: 'dynamic' },
  o: { kind: 'object' },
  X: { kind: 'unknown' },
  _: { kind: 'unknown' },
  '*': { kind: 'unknown' },
};

/** The tree of one signature. @throws Error when it is none */
export function parseSignature(signature: string): ValueType {
  const reader = new Reader(signature);
  const type = reader.type();
  if (!reader.isAtEnd) throw new Error(`Not a signature: ${signature}`);
  return type;
}

/** The arguments of a method or a signal; a dynamic stands for any arguments. */
export function parseArguments(signature: string): readonly Member[] | 'any' {
  const type = parseSignature(signature);
  if (type.kind === 'tuple') return type.members;
  return type.kind === 'dynamic' ? 'any' : [{ name: '', type }];
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#text.length;
  }

  type(): ValueType {
    const letter = this.#take();
    const type = this.#after(letter);
    const annotation = this.#annotation();
    if (annotation === undefined || type.kind !== 'tuple') return type;
    const [name = '', ...fields] = splitAnnotation(annotation);
    return { ...type, name, members: type.members.map((member, index) => ({ ...member, name: fields[index] ?? '' })) };
  }

  #after(letter: string): ValueType {
    switch (letter) {
      case '[':
        return { kind: 'list', item: this.#closed(']') };
      case '#':
        return { kind: 'list', item: this.type() };
      case '~':
        return { kind: 'map', key: { kind: 'string' }, item: this.type() };
      case '+':
        return { kind: 'optional', item: this.type() };
      case '{': {
        const key = this.type();
        return { kind: 'map', key, item: this.#closed('}') };
      }
      case '(': {
        const members: Member[] = [];
        while (this.#text[this.#at] !== ')') members.push({ name: '', type: this.type() });
        this.#at += 1;
        return { kind: 'tuple', name: '', members };
      }
      default: {
        const type = LETTERS[letter];
        if (type === undefined) throw new Error(`Not a signature: ${this.#text}`);
        return type;
      }
    }
  }

  #closed(bracket: string): ValueType {
    const type = this.type();
    if (this.#take() !== bracket) throw new Error(`Not a signature: ${this.#text}`);
    return type;
  }

  #take(): string {
    const letter = this.#text[this.#at];
    if (letter === undefined) throw new Error(`Not a signature: ${this.#text}`);
    this.#at += 1;
    return letter;
  }

  #annotation(): string | undefined {
    if (this.#text[this.#at] !== '<') return undefined;
    const start = this.#at + 1;
    let depth = 0;
    while (this.#at < this.#text.length) {
      const letter = this.#take();
      if (letter === '<') depth += 1;
      if (letter === '>') depth -= 1;
      if (depth === 0) return this.#text.slice(start, this.#at - 1);
    }
    throw new Error(`Not a signature: ${this.#text}`);
  }
}

/** Commas within brackets belong to a nested signature. */
function splitAnnotation(text: string): readonly string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let at = 0; at < text.length; at += 1) {
    const letter = text[at] ?? '';
    if ('([{<'.includes(letter)) depth += 1;
    if (')]}>'.includes(letter)) depth -= 1;
    if (letter === ',' && depth === 0) {
      parts.push(text.slice(start, at));
      start = at + 1;
    }
  }
  return [...parts, text.slice(start)];
}

/** A type in words, short. */
export function describeType(type: ValueType): string {
  switch (type.kind) {
    case 'integer':
      return `${type.isSigned ? '' : 'positive '}integer`;
    case 'float':
      return 'number';
    case 'bool':
      return 'yes or no';
    case 'string':
      return 'text';
    case 'raw':
      return 'bytes';
    case 'dynamic':
      return 'any value';
    case 'void':
      return 'nothing';
    case 'list':
      return `list of ${describeType(type.item)}`;
    case 'map':
      return `map of ${describeType(type.key)} to ${describeType(type.item)}`;
    case 'optional':
      return `${describeType(type.item)}, or nothing`;
    case 'tuple':
      return type.name === '' ? `(${type.members.map((member) => describeType(member.type)).join(', ')})` : type.name;
    default:
      return type.kind;
  }
}
