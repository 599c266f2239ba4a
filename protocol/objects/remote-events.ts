// Signals and properties of a remote object: callbacks and async iterators over subscriptions of the bus. Layer 3.
// The bus object keeps one registration per signal however many subscribe here.
import { NO_OBJECTS, type Payload, releasePayload } from '../bus/bus.ts';
import { demandOf } from '../bus/demand.ts';
import { EventRate } from '../bus/event-rate.ts';
import type { MetaProperty, MetaSignal, StandardAction } from '../bus/metaobject.ts';
import type { QiwayError } from '../errors.ts';
import { needed } from '../part.ts';
import { Turns } from '../turns.ts';
import { Dynamic, encodeValue } from '../wire/value.ts';
import { within } from '../within.ts';
import { EventQueue } from './event-queue.ts';
import { callInTurn, encodeOutgoing, postInTurn, type Remote } from './remote.ts';
import { type CallTimes, callRemote } from './remote-call.ts';
import type { ConnectOptions, EventIterator, FlowOptions, Off, Property, Signal } from './remote-types.ts';
import { asDynamic, decodeArguments, decodePayload, isSameSignature, openDynamic } from './values.ts';

// By type only, and the compiler compares them: what makes metaobjects is not needed to use properties.
const PROPERTY: (typeof StandardAction)['property'] = 5;
const SET_PROPERTY: (typeof StandardAction)['setProperty'] = 6;
const ASKED = Promise.resolve();

interface Listener {
  event(args: unknown[]): void;
  gap(missed: number | undefined): void;
  gone(error: QiwayError): void;
}

function subscribe(
  remote: Remote,
  { uid, signature }: MetaSignal,
  { listener, flow = {} }: { readonly listener: Listener; readonly flow?: FlowOptions | undefined },
): { readonly ready: Promise<void>; readonly off: Off } {
  const demand = demandOf(flow.policy ?? 'every', flow.maxHz ?? 0);
  let isOpen = true;
  // An event of another type than declared may have to wait for what converts it; those behind it wait too.
  const turns = new Turns();
  const safely = (task: () => void): void => {
    try {
      task();
    } catch (error) {
      remote.report(error);
    }
  };
  /** False: too many wait already. */
  const inTurn = (task: () => void, part?: Remote['part']): boolean => {
    let isTaken = false;
    safely(() => {
      turns.run(() => safely(task), part);
      isTaken = true;
    });
    return isTaken;
  };
  const take = (payload: Payload): void => {
    const isFitting = signature === 'm' || isSameSignature(payload.signature, signature);
    const run = (): void => {
      const fitting = isFitting ? payload : fit(remote, payload, signature);
      const args = decodeArguments(fitting, signature, remote.mapper);
      if (isOpen) listener.event(args);
    };
    if (!inTurn(run, isFitting ? undefined : remote.part)) releasePayload(payload);
  };
  // Others may listen to the same registration and want more.
  const rate =
    demand.maxHz > 0
      ? new EventRate<Payload>({ clock: remote.times.clock, maxHz: demand.maxHz, pass: take, drop: releasePayload })
      : undefined;
  const sink = {
    owner: remote.owner,
    demand,
    event: (payload: Payload): void => (rate === undefined ? take(payload) : rate.push(payload)),
    gap: (missed: number | undefined): void => {
      inTurn(() => isOpen && listener.gap(missed));
    },
    gone: (error: QiwayError): void => {
      const end = (): void => {
        const wasOpen = isOpen;
        isOpen = false;
        rate?.close();
        if (wasOpen) listener.gone(error);
      };
      if (!inTurn(end)) safely(end);
    },
  };
  const subscription = remote.check().subscribe(uid, sink);
  const off = (): Promise<void> => {
    isOpen = false;
    rate?.close();
    return inTime(subscription.close(), remote.times).catch(() => {}); // nothing is heard any more, confirmed or not
  };
  // A robot that is away cannot be late.
  const confirmed = (subscription.asked ?? ASKED).then(() => inTime(subscription.ready, remote.times));
  const ready = confirmed.catch((error: unknown) => {
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
  return needed(part.here).fitArguments(payload, signature);
}

async function connect(
  remote: Remote,
  signal: MetaSignal,
  callback: (...args: unknown[]) => unknown,
  options: ConnectOptions = {},
): Promise<Off> {
  const listener: Listener = {
    event: (args) => {
      const result = callback(...args);
      if (result instanceof Promise) result.catch(remote.report);
    },
    gap: (missed) => options.gap?.(missed),
    gone: (error) => options.gone?.(error),
  };
  const { ready, off } = subscribe(remote, signal, { listener, flow: options });
  await ready;
  return off;
}

export function remoteSignal(remote: Remote, signal: MetaSignal): Signal {
  return {
    connect: (callback, options) => connect(remote, signal, callback, options),
    emit: (...args) => {
      postInTurn(remote, () => remote.check().post(signal.uid, encodeOutgoing(remote, signal.signature, args)));
    },
    events: (options) => events(remote, signal, { pick: (args) => args, flow: options }),
    [Symbol.asyncIterator]: () => events(remote, signal, { pick: (args) => args }),
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
      const request = {
        action: PROPERTY,
        payload: { signature: '(m)', bytes: key, objects: NO_OBJECTS },
      };
      return callInTurn(remote, () => callRemote(remote.check(), request, { decode: read, times: remote.times }));
    },
    setValue: async (value) => {
      const decode = (payload: Payload): unknown => decodePayload(payload, remote.mapper);
      await callInTurn(remote, () => {
        const object = remote.check();
        const { bytes, objects } = asDynamic(encodeOutgoing(remote, signature, value));
        const pair = new Uint8Array(key.length + bytes.length);
        pair.set(key);
        pair.set(bytes, key.length);
        const request = { action: SET_PROPERTY, payload: { signature: '(mm)', bytes: pair, objects } };
        return callRemote(object, request, { decode, times: remote.times });
      });
    },
    connect: (callback, options) => connect(remote, signal, callback as (...args: unknown[]) => unknown, options),
    values: (options) => events(remote, signal, { pick: ([value]) => value, flow: options }),
    [Symbol.asyncIterator]: () => events(remote, signal, { pick: ([value]) => value }),
  };
}

/** The events of a subscription made for one reader. */
function events<T>(
  remote: Remote,
  signal: MetaSignal,
  { pick, flow }: { readonly pick: (args: unknown[]) => T; readonly flow?: FlowOptions | undefined },
): EventIterator<T> {
  const queue = new EventQueue<T>(() => off(), { isLatestOnly: flow?.policy === 'latest' });
  const listener: Listener = {
    event: (args) => queue.push(pick(args)),
    gap: (missed = 1) => queue.skip(missed),
    gone: (error) => (error.code === 'closed' ? queue.end() : queue.fail(error)),
  };
  const { ready, off } = subscribe(remote, signal, { listener, flow });
  ready.catch((error: unknown) => queue.fail(error));
  return queue;
}
