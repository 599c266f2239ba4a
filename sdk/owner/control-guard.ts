// Stands before comlink on a port of a tab: lets through the methods that there are, with ports where ports belong. Comlink
// itself would do whatever a path leads to, and throws where nobody hears it. Knows no robots.
import type { OwnerPort } from './owner-port.ts';

type Shape = 'port' | 'ports' | 'any';
/** By method, its arguments. */
export type Commands<T> = Readonly<Record<keyof T & string, readonly Shape[]>>;

export const OWNER_COMMANDS: Commands<OwnerPort> = {
  hello: ['any'],
  open: ['any', 'port'],
  attach: ['any', 'port'],
  queue: ['any', 'ports'],
  lead: ['any', 'port'],
  probe: ['any'],
  answer: ['port'],
  close: ['any'],
  leave: [],
};

/** To be called before `expose`. */
export function guardCommands<T>(port: Pick<MessagePort, 'addEventListener'>, commands: Commands<T>): void {
  port.addEventListener('message', (event) => {
    if (!isCommand(event.data, commands)) event.stopImmediatePropagation();
  });
}

/** In the words of comlink 4. */
function isCommand(data: unknown, commands: Readonly<Record<string, readonly Shape[]>>): boolean {
  if (!isRecord(data)) return false;
  // The tab's end of comlink was collected.
  if (data['type'] === 'RELEASE') return true;
  const { type, path, argumentList } = data as { type?: unknown; path?: unknown; argumentList?: unknown };
  if (type !== 'APPLY' || !Array.isArray(path) || path.length !== 1 || !Array.isArray(argumentList)) return false;
  const shapes = Object.hasOwn(commands, String(path[0])) ? commands[String(path[0])] : undefined;
  return shapes?.every((shape, index) => isOf(shape, argumentList[index])) === true;
}

function isOf(shape: Shape, argument: unknown): boolean {
  if (!isRecord(argument) || argument['type'] !== 'RAW') return false;
  const value = argument['value'];
  if (shape === 'any') return value !== null && value !== undefined;
  if (shape === 'port') return value instanceof MessagePort;
  return isRecord(value) && value['asks'] instanceof MessagePort && value['news'] instanceof MessagePort;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
