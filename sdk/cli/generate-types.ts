// A TypeScript interface file from metaobjects: `Services`, an interface for each service, and the structs they speak of.
// Command line; pure. The same metaobjects give the same text.
import { FIRST_OWN_ACTION, type MetaMethod, type MetaObject } from '@qiway/protocol/bus/metaobject';
import { docComment } from './doc-comment.ts';
import { identifier, memberName, NamePool } from './type-names.ts';
import { TypeWriter } from './type-text.ts';

export interface DescribedService {
  readonly name: string;
  readonly metaObject: MetaObject;
}

export interface GenerateOptions {
  /** Members and services whose names begin with `_` too. */
  readonly all?: boolean;
}

interface Member {
  readonly name: string;
  readonly text: string;
}

/** The whole file, to be saved as `robot.d.ts`. @throws `wire-invalid` when a metaobject holds a signature that is none */
export function generateTypes(services: readonly DescribedService[], options: GenerateOptions = {}): string {
  const isShown = (name: string): boolean => options.all === true || !name.startsWith('_');
  const shown = services.filter(({ name }) => isShown(name)).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const names = new NamePool();
  const named = shown.map((service) => ({ ...service, type: names.take(service.name) }));
  const writer = new TypeWriter(names);
  const interfaces = named.map(({ type, metaObject }) => {
    const members = membersOf(metaObject, writer).filter(({ name }) => isShown(name));
    return [
      ...docComment({ text: metaObject.description }, ''),
      `export interface ${type} {`,
      ...members.map(({ text }) => text),
      '}',
    ].join('\n');
  });
  const index = [
    'export interface Services {',
    ...named.map(({ name, type }) => `  ${memberName(name)}: ${type};`),
    '}',
  ].join('\n');
  const imports =
    writer.imports.length === 0 ? [] : [`import type { ${writer.imports.join(', ')} } from '@qiway/sdk';`];
  const head = [
    '// The services of a robot, written by `qiway types` from what they tell about themselves. Not to be edited: write it again.',
    ...imports,
  ].join('\n');
  return `${[head, index, ...interfaces, ...writer.interfaces].join('\n\n')}\n`;
}

/** Names that a remote object offers by their full names only: what JavaScript itself calls, and `release`. */
function isTaken(name: string): boolean {
  return name === 'release' || name === 'then' || name === 'toJSON' || name in Object.prototype;
}

/** Methods, then properties, then signals, each in order of their ids: a name means the first of them that has it. */
function membersOf(metaObject: MetaObject, writer: TypeWriter): Member[] {
  const own = <T extends { readonly uid: number }>(members: ReadonlyMap<number, T>): T[] =>
    [...members.values()].filter(({ uid }) => uid >= FIRST_OWN_ACTION).toSorted((a, b) => a.uid - b.uid);
  const members: Member[] = [];
  const overloads = Map.groupBy(own(metaObject.methods), ({ name }) => name);
  for (const methods of overloads.values()) members.push(...methodMembers(methods, writer));
  const known = new Set(overloads.keys());
  const add = (name: string, signature: string, type: () => string): void => {
    const key = known.has(name) || isTaken(name) ? `${name}::${signature}` : name;
    known.add(name);
    members.push({ name, text: `  readonly ${memberName(key)}: ${type()};` });
  };
  for (const { name, signature } of own(metaObject.properties)) {
    add(name, signature, () => `${writer.import('Property')}<${writer.type(signature, 'given')}>`);
  }
  for (const { uid, name, signature } of own(metaObject.signals)) {
    if (metaObject.properties.has(uid)) continue;
    const types = writer.members(signature, 'given')?.join(', ') ?? '...unknown[]';
    add(name, signature, () => `${writer.import('Signal')}<[${types}]>`);
  }
  return members;
}

/** One call signature per overload; those that TypeScript cannot tell apart are also there by their full names. */
function methodMembers(methods: readonly MetaMethod[], writer: TypeWriter): Member[] {
  const members: Member[] = [];
  const byTypes = Map.groupBy(methods, (method) =>
    (writer.members(method.parametersSignature, 'taken') ?? ['any']).join(),
  );
  for (const same of byTypes.values()) {
    const [first] = same;
    const isBare = first !== undefined && !isTaken(first.name);
    if (isBare) members.push(methodMember(first, first.name, writer));
    if (same.length > 1 || !isBare) {
      members.push(
        ...same.map((method) => methodMember(method, `${method.name}::${method.parametersSignature}`, writer)),
      );
    }
  }
  return members;
}

function methodMember(method: MetaMethod, name: string, writer: TypeWriter): Member {
  const types = writer.members(method.parametersSignature, 'taken');
  const names = parameterNames(method, types?.length ?? 0);
  const parameters = types?.map((type, index) => `${names[index]}: ${type}`).join(', ') ?? '...args: unknown[]';
  const about = {
    text: method.description,
    parameters: names.map((parameter, index) => ({
      name: parameter,
      text: method.parameters[index]?.description ?? '',
    })),
    returns: method.returnDescription,
  };
  const text = [
    ...docComment(about, '  '),
    `  ${memberName(name)}(${parameters}): ${writer.type(method.returnSignature, 'given')};`,
  ].join('\n');
  return { name: method.name, text };
}

function parameterNames(method: MetaMethod, count: number): string[] {
  const pool = new NamePool();
  return Array.from({ length: count }, (_, index) => {
    const name = method.parameters[index]?.name.trim() ?? '';
    return pool.take(name === '' ? `arg${index}` : identifier(name));
  });
}
