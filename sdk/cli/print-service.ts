// What `qiway info` prints, for people: the list of services, and one service with its members. Command line; pure.
import { FIRST_OWN_ACTION, type MetaMethod, type MetaObject } from '@qiway/protocol/bus/metaobject';
import { parameterWords, typeWords } from './signature-words.ts';

export interface ListedService {
  readonly name: string;
  readonly serviceId: number;
  readonly machineId: string;
  readonly processId: number;
  readonly endpoints: readonly string[];
}

/** One line a service, in order of their ids. */
export function printServices(services: readonly ListedService[]): string {
  const ids = services.map(({ serviceId }) => String(serviceId));
  const width = Math.max(0, ...ids.map((id) => id.length));
  const nameWidth = Math.max(0, ...services.map(({ name }) => name.length));
  const lines = services.map(({ name, endpoints }, index) =>
    `${(ids[index] ?? '').padStart(width)}  ${name.padEnd(nameWidth)}  ${endpoints.join(' ')}`.trimEnd(),
  );
  return lines.map((line) => `${line}\n`).join('');
}

/** A service with all its members, `all`: those every object has and hidden ones too. */
export function printService(service: ListedService, metaObject: MetaObject, all: boolean): string {
  const isShown = ({ uid, name }: { uid: number; name: string }): boolean =>
    all || (uid >= FIRST_OWN_ACTION && !name.startsWith('_'));
  const shown = <T extends { readonly uid: number; readonly name: string }>(members: ReadonlyMap<number, T>): T[] =>
    [...members.values()].filter(isShown).toSorted((a, b) => a.uid - b.uid);
  const properties = shown(metaObject.properties);
  const signals = shown(metaObject.signals).filter(({ uid }) => !metaObject.properties.has(uid));
  const blocks = [
    headLines(service, metaObject),
    section('Methods', shown(metaObject.methods).flatMap(methodLines)),
    section(
      'Properties',
      properties.map(({ uid, name, signature }) => memberLine(uid, `${name}: ${typeWords(signature)}`)),
    ),
    section(
      'Signals',
      signals.map(({ uid, name, signature }) => memberLine(uid, `${name}(${parameterWords(signature).join(', ')})`)),
    ),
  ];
  return `${blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

function headLines(service: ListedService, metaObject: MetaObject): string[] {
  const lines = [
    `${service.name}  (service ${service.serviceId}, process ${service.processId} on machine ${service.machineId})`,
  ];
  if (service.endpoints.length > 0) lines.push(`  ${service.endpoints.join(' ')}`);
  return [...lines, ...indented(metaObject.description, '  ')];
}

function section(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : [title, ...lines];
}

function memberLine(uid: number, text: string): string {
  return `${String(uid).padStart(5)}  ${text}`;
}

function methodLines(method: MetaMethod): string[] {
  const types = parameterWords(method.parametersSignature);
  const parameters = types.map((type, index) => {
    const name = method.parameters[index]?.name ?? '';
    return name === '' ? type : `${name}: ${type}`;
  });
  const lines = [
    memberLine(method.uid, `${method.name}(${parameters.join(', ')}) → ${typeWords(method.returnSignature)}`),
  ];
  lines.push(...indented(method.description, '         '));
  for (const { name, description } of method.parameters) {
    if (description.trim() !== '') lines.push(...indented(`${name}: ${description}`, '           '));
  }
  if (method.returnDescription.trim() !== '')
    lines.push(...indented(`returns ${method.returnDescription}`, '           '));
  return lines;
}

function indented(text: string, indent: string): string[] {
  const trimmed = text.trim();
  return trimmed === '' ? [] : trimmed.split('\n').map((line) => `${indent}${line.trimEnd()}`);
}
