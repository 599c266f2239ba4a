// TypeScript types for signatures; named structs become interfaces, once each. Command line; pure.
import { parseSignature, type SignatureNode, type TupleNode } from '@qiway/protocol/wire/signature';
import { memberName, type NamePool } from './type-names.ts';

/** Where a value goes: what the robot takes is wider than what it gives. */
export type Position = 'taken' | 'given';

/** Turns signatures into types and remembers the structs that it met. */
export class TypeWriter {
  readonly #names: NamePool;
  readonly #structs = new Map<string, string>();
  readonly #interfaces: string[] = [];
  readonly #imports = new Set<string>();

  constructor(names: NamePool) {
    this.#names = names;
  }

  /** The structs met so far, as interfaces, in the order met. */
  get interfaces(): readonly string[] {
    return this.#interfaces;
  }

  /** Names that the types met so far need from `@qiway/sdk`. */
  get imports(): readonly string[] {
    return [...this.#imports].sort();
  }

  import(name: string): string {
    this.#imports.add(name);
    return name;
  }

  type(signature: string, position: Position): string {
    return this.#node(parseSignature(signature), position);
  }

  /** The members of a tuple; undefined when any arguments are taken. */
  members(signature: string, position: Position): readonly string[] | undefined {
    const node = parseSignature(signature);
    return node.kind === 'tuple' ? node.members.map((member) => this.#node(member, position)) : undefined;
  }

  #node(node: SignatureNode, position: Position): string {
    switch (node.kind) {
      case 'void':
        return 'void';
      case 'bool':
        return 'boolean';
      case 'int':
        if (node.bits < 64) return 'number';
        return position === 'taken' ? 'number | bigint' : 'bigint';
      case 'float':
      case 'double':
        return 'number';
      case 'string':
        return 'string';
      case 'raw':
        return 'Uint8Array';
      case 'list':
      case 'varargs':
        return this.#list(node.element, position);
      case 'optional':
        return `${this.#node(node.element, position)} | null`;
      case 'kwargs':
        return this.#record(node.element, position);
      case 'map':
        return this.#map(node.key, node.value, position);
      case 'tuple':
        return node.fieldNames === undefined ? this.#tuple(node, position) : this.#struct(node, node.fieldNames);
      case 'object':
        return position === 'taken' ? 'object | null' : `${this.import('RemoteObject')} | null`;
      default:
        return 'unknown';
    }
  }

  #list(element: SignatureNode, position: Position): string {
    const type = this.#node(element, position);
    const entry = /\||^readonly /.test(type) ? `(${type})` : type;
    return position === 'taken' ? `readonly ${entry}[]` : `${entry}[]`;
  }

  #record(value: SignatureNode, position: Position): string {
    const type = this.#node(value, position);
    return position === 'taken'
      ? `Readonly<Record<string, ${type}>> | ReadonlyMap<string, ${type}>`
      : `Record<string, ${type}>`;
  }

  #map(key: SignatureNode, value: SignatureNode, position: Position): string {
    if (key.kind === 'string') return this.#record(value, position);
    const pair = `${this.#node(key, position)}, ${this.#node(value, position)}`;
    return position === 'taken' ? `ReadonlyMap<${pair}>` : `Map<${pair}>`;
  }

  #tuple(node: TupleNode, position: Position): string {
    const members = node.members.map((member) => this.#node(member, position)).join(', ');
    return position === 'taken' ? `readonly [${members}]` : `[${members}]`;
  }

  /** One interface serves both ways: its fields have the types of what the robot gives, which it also takes. */
  #struct(node: TupleNode, fieldNames: readonly string[]): string {
    const fields = node.members.map(
      (member, index) => `  ${memberName(fieldNames[index] ?? '')}: ${this.#node(member, 'given')};`,
    );
    const name = node.name ?? 'Struct';
    const key = [name, ...fields].join('\n');
    const known = this.#structs.get(key);
    if (known !== undefined) return known;
    const taken = this.#names.take(name);
    this.#structs.set(key, taken);
    this.#interfaces.push([`export interface ${taken} {`, ...fields, '}'].join('\n'));
    return taken;
  }
}
