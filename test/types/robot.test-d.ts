// The types of the SDK, held by the compiler: a line that compiles and should not, or the other way round, fails the check.
import {
  type CallOptions,
  type connect,
  createObject,
  type Hosted,
  type LooseMembers,
  method,
  type Off,
  type Property,
  property,
  QiwayError,
  type RemoteObject,
  type Robot,
  type ServiceInfo,
  type Signal,
  signal,
} from '@qiway/sdk';

/** Compiles only if both types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(_: Same<A, B>): void {}

interface Point {
  x: number;
  y: number;
}

interface Counter {
  increment(by: number): number;
  changed: Signal<[total: number]>;
}

interface Services {
  ALTextToSpeech: {
    say(text: string): void;
    say(text: string, language: string): void;
    getLanguage(): string;
    wordSaid: Signal<[word: string]>;
    volume: Property<number>;
  };
  Maker: {
    make(start: number): RemoteObject<Counter> | null;
    move(to: Point): Point;
    over(value: number): 'number';
    over(value: string): 'string';
    over(): 'none';
    anything(...args: unknown[]): unknown;
    callBack(callback: object): bigint;
    total: Property<bigint>;
  };
}

declare const robot: Robot<Services>;
declare const loose: Robot;

export async function typedServices(): Promise<void> {
  same<Awaited<ReturnType<typeof connect<Services>>>, Robot<Services>>(true);
  const tts = await robot.service('ALTextToSpeech');
  // @ts-expect-error no service of that name
  await robot.service('ALTextToSpeach');

  same<ReturnType<typeof tts.getLanguage>, Promise<string>>(true);
  await tts.say('hello');
  await tts.say('bonjour', 'French');
  await tts.say.with({ timeoutMs: 2000, signal: AbortSignal.timeout(10) })('hi');
  tts.say.post('hi', 'English');
  // @ts-expect-error a number is no text
  await tts.say(5);
  // @ts-expect-error too many arguments
  await tts.say('one', 'two', 'three');
  // @ts-expect-error a number is no text, with options too
  await tts.say.with({ timeoutMs: 1 })(5);
  // @ts-expect-error no such option
  tts.say.with({ timeout: 1 });
  // @ts-expect-error no such member
  tts.sya;
  // @ts-expect-error members are not assigned
  tts.volume = 5;
}

export async function overloads(): Promise<void> {
  const maker = await robot.service('Maker');
  const asNumber = await maker.over(1);
  const asString = await maker.over('x');
  const none = await maker.over();
  same<typeof asNumber, 'number'>(true);
  same<typeof asString, 'string'>(true);
  same<typeof none, 'none'>(true);
  // @ts-expect-error no overload takes a boolean
  await maker.over(true);
  const anything = await maker.anything(1, 'b', {});
  same<typeof anything, unknown>(true);
}

export async function signalsAndProperties(): Promise<void> {
  const tts = await robot.service('ALTextToSpeech');
  const off = await tts.wordSaid.connect((word) => {
    same<typeof word, string>(true);
  });
  same<typeof off, Off>(true);
  await off();
  for await (const [word] of tts.wordSaid) same<typeof word, string>(true);
  // @ts-expect-error the signal has one argument, a string
  await tts.wordSaid.connect((word: number) => word);
  // @ts-expect-error the signal has one argument, a string
  tts.wordSaid.emit(5);

  same<Awaited<ReturnType<typeof tts.volume.value>>, number>(true);
  await tts.volume.setValue(50);
  await tts.volume.connect((value) => same<typeof value, number>(true));
  for await (const value of tts.volume) same<typeof value, number>(true);
  // @ts-expect-error the property is a number
  await tts.volume.setValue('50');
  const { total } = await robot.service('Maker');
  same<Awaited<ReturnType<typeof total.value>>, bigint>(true);
}

export async function objects(): Promise<void> {
  const maker = await robot.service('Maker');
  const counter = await maker.make(1);
  // @ts-expect-error it may be no object
  counter.increment(1);
  if (counter === null) return;
  same<ReturnType<typeof counter.increment>, Promise<number>>(true);
  await counter.changed.connect((total) => same<typeof total, number>(true));
  counter.release();
  using owned = counter;
  // @ts-expect-error a struct with its fields
  await maker.move({ x: 1 });
  same<Awaited<ReturnType<typeof maker.move>>, Point>(true);
  await maker.callBack((value: number) => value);
  await maker.callBack({ onEvent() {} });
  await maker.callBack(owned);
  // @ts-expect-error a number is no object
  await maker.callBack(5);
}

export async function looseServices(): Promise<void> {
  const thing = await loose.service('Anything');
  same<typeof thing, RemoteObject<LooseMembers>>(true);
  const result = await thing['say']?.('hello', 1);
  same<typeof result, unknown>(true);
  await thing['word']?.connect((...args: unknown[]) => args);
  await thing['volume']?.setValue(5);
  same<Awaited<ReturnType<typeof loose.services>>, ServiceInfo[]>(true);
}

export async function hosting(): Promise<void> {
  const hosted: Hosted = await robot.host('TabletUi', {
    show(text: string) {
      return text.length;
    },
  });
  hosted.object.emit('touched', 1);
  await robot.host(
    'Declared',
    createObject({
      show: method('(s)', 'v', (text: string) => text),
      touched: signal('(ii)'),
      brightness: property('f', 1),
    }),
  );
  // @ts-expect-error text is no implementation
  await robot.host('Nothing', 'text');
}

export function errors(error: QiwayError<'service-not-found'>, options: CallOptions): void {
  same<typeof error.data.nearest, readonly string[] | undefined>(true);
  // @ts-expect-error no such code
  new QiwayError('no-such-code', 'text');
  // @ts-expect-error options are read-only
  options.timeoutMs = 5;
}
