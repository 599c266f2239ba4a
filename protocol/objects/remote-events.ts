// Signals and properties of a remote object: callbacks and async iterators over subscriptions of the bus. Layer 3.
// The bus object keeps one registration per signal however many subscribe here.
import { type BusObject, NO_OBJECTS, type Payload, releasePayload } from '../bus/bus.ts';
import { type MetaProperty, type MetaSignal, StandardAction } from '../bus/metaobject.ts';
import type { chooseMethod } from '../bus/overload.ts';
import type { QiwayError } from '../errors.ts';
import { needed, type Part } from '../part.ts';
import { Turns } from '../turns.ts';
import { Dynamic, encodeValue } from '../wire/value.ts';
import { within } from '../within.ts';
import type { fitArguments } from './arguments.ts';
import { EventQueue } from './event-queue.ts';
import { type CallTimes, callRemote } from './remote-call.ts';
import type { ConnectOptions, EventIterator, Off, Property, Signal } from './remote-types.ts';
import {
  asDynamic,
  decodeArguments,
  decodePayload,
  encodePayload,
  isSameSignature,
  type ObjectMapper,
  openDynamic,
} from './values.ts';

/** What the members of one remote object need of it. */
export interface Remote {
  readonly object: BusObject;
  readonly mapper: ObjectMapper;
  readonly times: CallTimes;
  /** Takes what a callback threw. */
  readonly report: (error: unknown) => void;
  /** @throws `object-gone` once it was released */
  check(): BusObject;
  /** The JavaScript object itself: subscriptions hold it, so that the object lives as long as it is listened to. */
  readonly owner: object;
  readonly part: Part<RemotePart>;
  /** What is sent to the object waits here behind a call that needs the part, so that nothing overtakes. */
  readonly turns: Turns;
}

/** What only some calls and events need. */
export interface RemotePart {
  readonly chooseMethod: typeof chooseMethod;
  readonly fitArguments: typeof fitArguments;
}

interface Listener {
  event(args: unknown[]): void;
  gone(error: QiwayError): void;
}

function subscribe(
  remote: Remote,
  { uid, signature }: MetaSignal,
  listener: Listener,
): { readonly ready: Promise<void>; readonly off: Off } {
  let isOpen = true;
  // An event of another type than declared may have to wait for what converts it; those behind it wait too.
  const turns = new Turns();
  const sink = {
    owner: remote.owner,
    event: (payload: Payload): void => {
      const isFitting = signature === 'm' || isSameSignature(payload.signature, signature);
      const take = (): void => {
        try {
          const fitting = isFitting ? payload : fit(remote, payload, signature);
          const args = decodeArguments(fitting, signature, remote.mapper);
          if (isOpen) listener.event(args);
        } catch (error) {
          remote.report(error);
        }
      };
      turns.run(take, isFitting ? undefined : remote.part);
    },
    gone: (error: QiwayError): void =>
      turns.run(() => {
        if (isOpen) listener.gone(error);
        isOpen = false;
      }),
  };
  const subscription = remote.check().subscribe(uid, sink);
  const off = (): Promise<void> => {
    isOpen = false;
    return inTime(subscription.close(), remote.times).catch(() => {}); // nothing is heard any more, confirmed or not
  };
  const ready = inTime(subscription.ready, remote.times).catch((error: unknown) => {
    void off();
    throw error;
  });
  return { ready, off };
}

/** A robot that does not answer is waited for as long as for a call. @throws `timeout` */
function inTime(confirmed: Promise<void>, { clock, deadlines }: CallTimes): Promise<void> {
  if (deadlines === undefined) return confirmed;
  return within(confirmed, { clock, timeoutMs: deadlines.timeoutMs }, 'The robot did not confirm the subscription');
}

/** @throws `unsupported` when the part could not be loaded */
function fit({ part }: Remote, payload: Payload, signature: string): Payload {
  if (part.here === undefined) releasePayload(payload);
  return needed(part).fitArguments(payload, signature);
}

async function connect(
  remote: Remote,
  signal: MetaSignal,
  callback: (...args: unknown[]) => unknown,
  options: ConnectOptions = {},
): Promise<Off> {
  const { ready, off } = subscribe(remote, signal, {
    event: (args) => {
      const result = callback(...args);
      if (result instanceof Promise) result.catch(remote.report);
    },
    gone: (error) => {
      try {
        options.gone?.(error);
      } catch (thrown) {
        remote.report(thrown);
      }
    },
  });
  await ready;
  return off;
}

export function remoteSignal(remote: Remote, signal: MetaSignal): Signal {
  return {
    connect: (callback, options) => connect(remote, signal, callback, options),
    emit: (...args) => {
      const object = remote.check();
      const payload = encodePayload(signal.signature, args, remote.mapper);
      remote.turns.run(() => object.post(signal.uid, payload));
    },
    [Symbol.asyncIterator]: () => events(remote, signal, (args) => args),
  };
}

export function remoteProperty(remote: Remote, { uid, name, signature }: MetaProperty): Property {
  const signal: MetaSignal = { uid, name, signature: `(${signature})` };
  // With the signature it came with, a declared 64-bit integer stays exact; in a dynamic it is a number.
  const read = (payload: Payload): unknown =>
    decodePayload(signature === 'm' ? payload : openDynamic(payload), remote.mapper);
  const key = encodeValue('(m)', [new Dynamic('I', uid)]);
  return {
    value: async () => {
      const object = remote.check();
      const request = {
        action: StandardAction.property,
        payload: { signature: '(m)', bytes: key, objects: NO_OBJECTS },
      };
      return inTurn(remote, () => callRemote(object, request, { decode: read, times: remote.times }));
    },
    setValue: async (value) => {
      const object = remote.check();
      const { bytes, objects } = asDynamic(encodePayload(signature, value, remote.mapper));
      const pair = new Uint8Array(key.length + bytes.length);
      pair.set(key);
      pair.set(bytes, key.length);
      const request = { action: StandardAction.setProperty, payload: { signature: '(mm)', bytes: pair, objects } };
      const decode = (payload: Payload): unknown => decodePayload(payload, remote.mapper);
      await inTurn(remote, () => callRemote(object, request, { decode, times: remote.times }));
    },
    connect: (callback, options) => connect(remote, signal, callback as (...args: unknown[]) => unknown, options),
    [Symbol.asyncIterator]: () => events(remote, signal, ([value]) => value),
  };
}

/** Sends now, or behind what waits on this object; with `isPartNeeded` once the part is here. */
export function inTurn<T>({ turns, part }: Remote, send: () => Promise<T>, isPartNeeded = false): Promise<T> {
  if (turns.areFree && !(isPartNeeded && part.here === undefined)) return send();
  return new Promise((resolve) => turns.run(() => resolve(send()), isPartNeeded ? part : undefined));
}

/** The events of a subscription made for one reader. */
function events<T>(remote: Remote, signal: MetaSignal, pick: (args: unknown[]) => T): EventIterator<T> {
  const queue = new EventQueue<T>(() => off());
  const { ready, off } = subscribe(remote, signal, {
    event: (args) => queue.push(pick(args)),
    gone: (error) => (error.code === 'closed' ? queue.end() : queue.fail(error)),
  });
  ready.catch((error: unknown) => queue.fail(error));
  return queue;
}
