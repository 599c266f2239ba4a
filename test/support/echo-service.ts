// The service of the recordings: every type there and back, overloads, failures, objects, signals, properties.
// Member for member and number for number as the original, so that recorded traffic can be replayed against it.
import { type BusObject, NO_OBJECTS, type Payload } from '../../protocol/bus/bus.ts';
import type { Clock } from '../../protocol/clock.ts';
import { QiwayError } from '../../protocol/errors.ts';
import {
  type CallContext,
  createObject,
  type HostedObject,
  type Members,
  type MethodMember,
  method,
  property,
  signal,
} from '../../protocol/objects/hosted-object.ts';
import { systemClock } from '../../protocol/transport/system-clock.ts';
import { Dynamic, decodeValue, encodeValue } from '../../protocol/wire/value.ts';

/** A struct of the service, with its signature. */
export interface Point {
  readonly x: number;
  readonly y: number;
  readonly name: string;
}
const POINT_SIGNATURE = '(iis)<Point,x,y,name>';

export interface EchoService {
  /** Its maker's reference goes to whoever hosts it. */
  readonly object: HostedObject;
  /** Counters handed out and not yet released by everybody. */
  readonly liveCounters: () => number;
  /** Arguments of `doNothingWith`, in order: for posts, which nobody answers. */
  readonly noted: readonly number[];
  /** Calls of `slow` and `slowUncancellable` that have begun. */
  readonly slowCalls: () => number;
}

export function createEchoService(clock: Clock = systemClock): EchoService {
  const counters = new Set<HostedObject>();
  const noted: number[] = [];
  let kept: BusObject | undefined;
  let slowCalls = 0;

  const keep = (object: BusObject | undefined): void => {
    kept?.release();
    kept = object;
  };
  const counter = (start: number): HostedObject => {
    const made: HostedObject = createObject(
      {
        increment: method('(i)', 'i', (by: number) => {
          made.set('value', (made.get('value') as number) + by);
          made.emit('changed', made.get('value'));
          return made.get('value');
        }),
        makeChild: method('()', 'o', () => counter(0)),
        changed: signal('(i)'),
        value: property('i', start),
      },
      { onUnused: () => made.release() },
    );
    counters.add(made);
    made.onGone(() => counters.delete(made));
    return made;
  };
  const slow = (delayMs: number, context?: CallContext): Promise<number> => {
    slowCalls += 1;
    return new Promise((resolve, reject) => {
      const stop = clock.after(delayMs, () => resolve(context === undefined ? 2 : 1));
      context?.onCancel(() => {
        stop();
        reject(new QiwayError('canceled', 'Stopped.'));
      });
    });
  };
  const echoed = (signature: string): MethodMember => method(`(${signature})`, signature, (value: unknown) => value);
  const emits = (parameters: string, run: (...args: never[]) => void): MethodMember => method(parameters, 'v', run);
  const bytes = (count: number): Uint8Array => Uint8Array.from({ length: count }, (_, index) => index);

  const members: Members = {
    echoBool: echoed('b'),
    echoInt8: echoed('c'),
    echoUInt8: echoed('C'),
    echoInt16: echoed('w'),
    echoUInt16: echoed('W'),
    echoInt32: echoed('i'),
    echoUInt32: echoed('I'),
    echoInt64: echoed('l'),
    echoUInt64: echoed('L'),
    echoFloat: echoed('f'),
    echoDouble: echoed('d'),
    echoString: echoed('s'),
    echoRaw: echoed('r'),
    echoListInt: echoed('[i]'),
    echoListString: echoed('[s]'),
    echoListDynamic: asTheyCame('[m]'),
    echoMapStringInt: echoed('{si}'),
    echoMapStringDynamic: asTheyCame('{sm}'),
    echoMapIntString: echoed('{is}'),
    echoPair: echoed('(is)'),
    echoPoint: echoed(POINT_SIGNATURE),
    echoListPoint: echoed(`[${POINT_SIGNATURE}]`),
    echoDynamic: asTheyCame('m'),
    echoOptionalInt: echoed('+i'),
    echoOptionalString: echoed('+s'),
    doNothing: method('()', 'v', () => {}),
    doNothingWith: method('(i)', 'v', (value: number) => {
      noted.push(value);
    }),
    voidCalls: method('()', 'i', () => noted.length),
    three: method('(isd)', 's', (i: number, s: string, d: number) => `${s}:${i}:${d.toFixed(6)}`),
    over: [
      method('(i)', 's', () => 'int'),
      method('(s)', 's', () => 'string'),
      method('(dd)', 's', () => 'double,double'),
      method('([i])', 's', () => '[int]'),
      method('({si})', 's', () => '{string:int}'),
      method('(is)', 's', () => 'int,string'),
      method('()', 's', () => 'none'),
    ],
    overNum: [method('(i)', 's', () => 'int32'), method('(f)', 's', () => 'float')],
    overDyn: [method('(i)', 's', () => 'int32'), method('(m)', 's', () => 'dynamic')],
    countArguments: method('m', 'm', (...args: unknown[]) => new Dynamic('i', args.length - 1)),
    sumVarArgs: method('(#i)', 'i', (values: number[]) => values.reduce((sum, value) => sum + value, 0)),
    makeCounter: method('(i)', 'o', (start: number) => counter(start)),
    makeCounters: method('(i)', '[o]', (count: number) => Array.from({ length: count }, (_, index) => counter(index))),
    makeNullObject: method('()', 'o', () => null),
    dynamicObject: method('()', 'm', () => counter(0)),
    liveObjects: method('()', 'i', () => counters.size),
    callObject: method('(osi)', 'i', async (object: BusObject, name: string, value: number) => {
      try {
        return await callByName(object, name, value);
      } finally {
        object.release();
      }
    }),
    keepObject: method('(o)', 'v', (object: BusObject) => keep(object)),
    keptObject: method('()', 'o', () => kept ?? null),
    dropObject: method('()', 'v', () => keep(undefined)),
    callKept: method('(si)', 'i', (name: string, value: number) => {
      if (kept === undefined) throw new Error('no object is kept');
      return callByName(kept, name, value);
    }),
    echoObject: method('(o)', 'o', (object: BusObject | null) => {
      // The answer takes a reference of its own after this function; this one ends later.
      if (object !== null) setImmediate(() => object.release());
      return object;
    }),
    subscribeOf: method('(os)', 'v', async (object: BusObject, name: string) => {
      keep(object);
      const uid = [...object.metaObject.signals.values()].find((each) => each.name === name)?.uid ?? -1;
      await object.subscribe(uid, {
        event: (payload) => noted.push((decodeValue('(i)', payload.bytes) as [number])[0]),
        gone: () => {},
      }).ready;
    }),
    fail: method('(s)', 'i', (text: string) => {
      throw new Error(text);
    }),
    failVoid: method('()', 'v', () => {
      throw new Error('void failure');
    }),
    failFuture: method('(s)', 'i', (text: string) => Promise.reject(new Error(text))),
    slow: method('(i)', 'i', (delayMs: number, context: CallContext) => slow(delayMs, context)),
    slowUncancellable: method('(i)', 'i', (delayMs: number) => slow(delayMs)),
    rawBytes: method('(I)', 'r', bytes),
    sinkRaw: method('(r)', 'I', (raw: Uint8Array) => raw.length),
    stringOf: method('(I)', 's', (length: number) => 'x'.repeat(length)),
    emitEcho: emits('(s)', (text: string) => object.emit('onEcho', text)),
    emitPair: emits('(is)', (number: number, text: string) => object.emit('onPair', number, text)),
    emitNothing: emits('()', () => object.emit('onNothing')),
    emitDynamic: { ...emits('(m)', rawEmit('onDynamic')), isRaw: true },
    emitPoint: emits(`(${POINT_SIGNATURE})`, (point: Point) => object.emit('onPoint', point)),
    emitObject: emits('()', () => object.emit('onObject', counter(0))),
    emitRaw: emits('(I)', (count: number) => object.emit('onRaw', bytes(count))),
    burst: emits('(I)', (count: number) => {
      for (let tick = 0; tick < count; tick += 1) object.emit('onTick', tick);
    }),
    startTicks: emits('(II)', (count: number, periodMs: number) => {
      const tick = (number: number): void => {
        if (number >= count) return;
        object.emit('onTick', number);
        clock.after(periodMs, () => tick(number + 1));
      };
      tick(0);
    }),
    onEcho: signal('(s)'),
    onPair: signal('(is)'),
    onNothing: signal('()'),
    onDynamic: signal('(m)'),
    onPoint: signal(`(${POINT_SIGNATURE})`),
    onObject: signal('(o)'),
    onTick: signal('(I)'),
    onRaw: signal('(r)'),
    count: property('i', 0),
    label: property('s', 'initial'),
    anything: property('m', new Dynamic('v', undefined)),
    point: property(POINT_SIGNATURE, { x: 0, y: 0, name: '' }),
  };
  const object = createObject(members);
  return { object, liveCounters: () => counters.size, noted, slowCalls: () => slowCalls };

  /** A dynamic says more than its bare value, so these pass the bytes. */
  function asTheyCame(signature: string): MethodMember {
    const run = (payload: Payload): Payload => ({ ...payload, signature });
    return { ...method(`(${signature})`, signature, run), isRaw: true };
  }

  function rawEmit(name: string): (payload: Payload) => void {
    return (payload) => {
      const [value] = decodeValue('(m)', payload.bytes, { dynamics: 'wrapped' }) as [Dynamic];
      object.emit(name, value);
    };
  }
}

/** Calls a method `(i) -> i` of an object that came from the other side. */
async function callByName(object: BusObject, name: string, value: number): Promise<number> {
  const action = [...object.metaObject.methods.values()].find((each) => each.name === name)?.uid;
  if (action === undefined) throw new Error(`the object has no method ${name}`);
  const payload: Payload = { signature: '(i)', bytes: encodeValue('(i)', [value]), objects: NO_OBJECTS };
  return new Promise((resolve, reject) => {
    object.call(
      { action, payload },
      {
        reply: (reply) => resolve(decodeValue('i', reply.bytes) as number),
        error: reject,
        canceled: () => reject(new Error('canceled')),
      },
    );
  });
}
