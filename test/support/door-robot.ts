// A robot for tests of the door: one service with a member of every kind, on an embedded bus.
import type { HostedService } from '../../protocol/bus/bus.ts';
import { EmbeddedBus } from '../../protocol/directory/embedded-bus.ts';
import { QiwayError } from '../../protocol/errors.ts';
import {
  type CallContext,
  createObject,
  type HostedObject,
  method,
  property,
  signal,
} from '../../protocol/objects/hosted-object.ts';

export interface DoorRobot {
  readonly bus: EmbeddedBus;
  readonly tester: HostedObject;
  readonly service: HostedService;
  /** What was said and done, in order. */
  readonly log: string[];
  /** Resolves with the next entry of `log` that begins so. */
  logged(prefix: string): Promise<string>;
}

export async function doorRobot(): Promise<DoorRobot> {
  const log: string[] = [];
  const waiting = new Set<() => void>();
  const note = (entry: string): void => {
    log.push(entry);
    for (const look of [...waiting]) look();
  };
  const logged = (prefix: string): Promise<string> =>
    new Promise((resolve) => {
      const look = (): void => {
        const found = log.find((entry) => entry.startsWith(prefix));
        if (found === undefined) return;
        waiting.delete(look);
        resolve(found);
      };
      waiting.add(look);
      look();
    });
  const bus = new EmbeddedBus({ machineId: 'machine', processId: 1, sessionId: 'session' });
  const tester = createObject(
    {
      say: [
        method('(s)', 'v', (text: string) => note(`say ${text}`), {
          description: 'Says it.',
          parameters: [{ name: 'text', description: 'what to say' }],
        }),
        method('(ss)', 's', (text: string, language: string) => `${language}: ${text}`),
      ],
      add: method('(ii)', 'i', (a: number, b: number) => a + b, {
        parameters: ['a', 'b'],
        returnDescription: 'the sum',
      }),
      kind: [
        method('(i)', 's', () => 'i'),
        method('(s)', 's', () => 's'),
        method('([i])', 's', () => '[i]'),
        method('((ii)<P,x,y>)', 's', () => 'P'),
      ],
      twins: [method('(i)', 's', () => 'i'), method('(f)', 's', () => 'f')],
      any: method('m', 's', (...args: unknown[]) => JSON.stringify(args.slice(0, -1))),
      echo: method('(m)', 'm', (value: unknown) => value),
      large: method('(l)', 'l', (value: bigint) => value),
      point: method('((ii)<Point,x,y>)', '(ii)<Point,x,y>', (point: unknown) => point),
      picture: method('()', 'r', () => Uint8Array.of(1, 2, 3)),
      boxed: method('()', 'm', () => Uint8Array.of(4, 5)),
      upload: method('(r)', 'I', (bytes: Uint8Array) => bytes.length),
      child: method('()', 'o', () => createObject({ ping: method('()', 'v', () => undefined) })),
      fail: method('()', 'v', () => {
        throw new Error('the battery is empty');
      }),
      forever: method('()', 'v', (context: CallContext) => {
        note('forever began');
        return new Promise((_, reject) =>
          context.onCancel(() => {
            note('forever stopped');
            reject(new QiwayError('canceled', 'stopped'));
          }),
        );
      }),
      _hidden: method('()', 'v', () => undefined),
      wordSaid: signal('(s)'),
      moved: signal('(ff)'),
      volume: property('i', 50, {
        set: (value: number) => {
          if (value < 0 || value > 100) throw new Error('volume goes from 0 to 100');
          return value;
        },
      }),
      mixed: property('m', 1),
      icon: property('r', Uint8Array.of(9)),
    },
    { description: 'For tests.' },
  );
  const service = await bus.host('Tester', tester);
  await bus.host('Ünï/1', createObject({ go: method('()', 's', () => 'gone') }));
  return { bus, tester, service, log, logged };
}
