// A robot for tests of the door: one service with a member of every kind, on an embedded bus.
import type { HostedService } from '../../protocol/bus/bus.ts';
import { EmbeddedBus } from '../../protocol/directory/embedded-bus.ts';
import { QiwayError } from '../../protocol/errors.ts';
import type { MemberClass } from '../../protocol/member-class.ts';
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
  /** What the calls of `later` that wait, answer. */
  answerLater(text: string): void;
}

export async function doorRobot(): Promise<DoorRobot> {
  const log: string[] = [];
  const waiting = new Set<() => void>();
  const waitingCalls: ((text: string) => void)[] = [];
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
      setMark: method('(s)', 'b', (mark: string) => {
        note(`mark ${mark}`);
        return true;
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
      // Whether they can be asked with GET is for the door's rules to say: classOfTester below.
      getSum: method('(ii)', 'i', (a: number, b: number) => a + b),
      getBytes: method('(I)', 'r', (count: number) => {
        note(`getBytes ${count}`);
        return patternBytes(count);
      }),
      getPicture: method('(i)', 'm', (colorSpace: number) => cameraImage(colorSpace)),
      getNothing: method('()', 'm', () => null),
      getDone: method('()', 'v', () => undefined),
      getNow: method('()', 'm', (context: CallContext) => {
        note('getNow began');
        return new Promise((_, reject) =>
          context.onCancel(() => {
            note('getNow stopped');
            reject(new QiwayError('canceled', 'stopped'));
          }),
        );
      }),
      later: method('()', 's', () => {
        note('later began');
        return new Promise<string>((resolve) => waitingCalls.push(resolve));
      }),
      store: method('(sr)', 's', (name: string, bytes: Uint8Array) => `${name}: ${bytes.length} of ${bytes[0]}`),
    },
    { description: 'For tests.' },
  );
  const service = await bus.host('Tester', tester);
  await bus.host('Ünï/1', createObject({ go: method('()', 's', () => 'gone') }));
  const answerLater = (text: string): void => {
    for (const answer of waitingCalls.splice(0)) answer(text);
  };
  return { bus, tester, service, log, logged, answerLater };
}

/** What the robot's rules say: members that ask begin with `get`. */
export function classOfTester(_service: string, member: string): MemberClass | undefined {
  return member.startsWith('get') ? 'idempotent' : undefined;
}

/** Bytes that tell where they are: a piece that is lost, doubled or put elsewhere shows. */
export function patternBytes(count: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(count);
  for (let at = 0; at < count; at++) bytes[at] = (at * 31 + (at >> 8) * 17 + (at >> 16) * 7) & 255;
  return bytes;
}

/** As NAOqi gives it: red, green over blue, white; in any of the colour spaces. */
function cameraImage(colorSpace: number): unknown[] {
  const pixels: Readonly<Record<number, readonly number[]>> = {
    0: [76, 150, 29, 255],
    9: [76, 85, 76, 255, 29, 255, 29, 107],
    10: [76, 85, 255, 150, 44, 21, 29, 255, 107, 255, 128, 128],
    11: [255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255],
    13: [0, 0, 255, 0, 255, 0, 255, 0, 0, 255, 255, 255],
  };
  const bytes = Uint8Array.from(pixels[colorSpace] ?? []);
  return [2, 2, bytes.length / 4, colorSpace, 1, 2, bytes, 0, 0.1, 0.2, 0.3, 0.4];
}
