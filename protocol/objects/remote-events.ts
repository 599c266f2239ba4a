// Signals and properties of a remote object: callbacks and async iterators over subscriptions of the bus. Layer 3.
// The bus object keeps one registration per signal however many subscribe here.
import { type BusObject, NO_OBJECTS, type Payload, type Subscription } from '../bus/bus.ts';
import { type MetaProperty, type MetaSignal, StandardAction } from '../bus/metaobject.ts';
import { asQiwayError, type QiwayError } from '../errors.ts';
import { Dynamic, encodeValue } from '../wire/value.ts';
import { readArguments } from './arguments.ts';
import { callRemote, type CallTimes } from './remote-call.ts';
import type { ConnectOptions, EventIterator, Off, Property, Signal } from './remote-types.ts';
import { asDynamic, decodePayload, encodePayload, type ObjectMapper, openDynamic } from './values.ts';

/** Events an iterator keeps for a reader that is slower than they come; then the oldest is dropped and counted. */
const MAX_WAITING_EVENTS = 256;

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
}

interface Listener {
  event(args: unknown[]): void;
  gone(error: QiwayError): void;
}

function subscribe(remote: Remote, { uid, signature }: MetaSignal, listener: Listener): { readonly subscription: Subscription; readonly off: Off } {
  let isOpen = true;
  const sink = {
    owner: remote.owner,
    event: (payload: Payload): void => {
      try {
        const args = readArguments(payload, signature, remote.mapper);
        if (isOpen) listener.event(args);
      } catch (error) {
        remote.report(error);
      }
    },
    gone: (error: QiwayError): void => {
      if (isOpen) listener.gone(error);
      isOpen = false;
    },
  };
  const subscription = remote.check().subscribe(uid, sink);
  const off = (): Promise<void> => {
    isOpen = false;
    return subscription.close();
  };
  return { subscription, off };
}

async function connect(remote: Remote, signal: MetaSignal, callback: (...args: unknown[]) => unknown, options: ConnectOptions = {}): Promise<Off> {
  const { subscription, off } = subscribe(remote, signal, {
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
  await subscription.ready;
  return off;
}

export function remoteSignal(remote: Remote, signal: MetaSignal): Signal {
  return {
    connect: (callback, options) => connect(remote, signal, callback, options),
    emit: (...args) => remote.check().post(signal.uid, encodePayload(signal.signature, args, remote.mapper)),
    [Symbol.asyncIterator]: () => new Events(remote, signal, (args) => args),
  };
}

export function remoteProperty(remote: Remote, { uid, name, signature }: MetaProperty): Property {
  const signal: MetaSignal = { uid, name, signature: `(${signature})` };
  const key = encodeValue('(m)', [new Dynamic('I', uid)]);
  return {
    value: async () => {
      const request = { action: StandardAction.property, payload: { signature: '(m)', bytes: key, objects: NO_OBJECTS } };
      return callRemote(remote.check(), request, { decode: (payload) => decodePayload(openDynamic(payload), remote.mapper), times: remote.times });
    },
    setValue: async (value) => {
      const object = remote.check();
      const { bytes, objects } = asDynamic(encodePayload(signature, value, remote.mapper));
      const pair = new Uint8Array(key.length + bytes.length);
      pair.set(key);
      pair.set(bytes, key.length);
      const request = { action: StandardAction.setProperty, payload: { signature: '(mm)', bytes: pair, objects } };
      await callRemote(object, request, { decode: (payload) => decodePayload(payload, remote.mapper), times: remote.times });
    },
    connect: (callback, options) => connect(remote, signal, callback as (...args: unknown[]) => unknown, options),
    [Symbol.asyncIterator]: () => new Events(remote, signal, ([value]) => value),
  };
}

interface Reader<T> {
  readonly resolve: (result: IteratorResult<T>) => void;
  readonly reject: (error: unknown) => void;
}

class Events<T> implements EventIterator<T> {
  readonly #off: Off;
  readonly #waiting: T[] = [];
  readonly #readers: Reader<T>[] = [];
  /** `failed`: the error goes to one reader, then the iterator is done. */
  #state: { readonly kind: 'open' } | { readonly kind: 'failed'; readonly error: unknown } | { readonly kind: 'done' } = { kind: 'open' };
  #missed = 0;

  constructor(remote: Remote, signal: MetaSignal, pick: (args: unknown[]) => T) {
    const { subscription, off } = subscribe(remote, signal, {
      event: (args) => this.#push(pick(args)),
      gone: (error) => this.#end(error.code === 'closed' ? { kind: 'done' } : { kind: 'failed', error }),
    });
    this.#off = off;
    subscription.ready.catch((error: unknown) => this.#end({ kind: 'failed', error: asQiwayError(error) }));
  }

  get missed(): number {
    return this.#missed;
  }

  next(): Promise<IteratorResult<T>> {
    if (this.#waiting.length > 0) return Promise.resolve({ value: this.#waiting.shift() as T, done: false });
    const state = this.#state;
    if (state.kind === 'open') return new Promise((resolve, reject) => this.#readers.push({ resolve, reject }));
    this.#state = { kind: 'done' };
    return state.kind === 'failed' ? Promise.reject(state.error) : Promise.resolve({ value: undefined, done: true });
  }

  async return(): Promise<IteratorResult<T>> {
    this.#waiting.length = 0;
    this.#end({ kind: 'done' });
    await this.#off();
    return { value: undefined, done: true };
  }

  async throw(error: unknown): Promise<IteratorResult<T>> {
    await this.return();
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  #push(value: T): void {
    const reader = this.#readers.shift();
    if (reader !== undefined) return reader.resolve({ value, done: false });
    this.#waiting.push(value);
    if (this.#waiting.length <= MAX_WAITING_EVENTS) return;
    this.#waiting.shift();
    this.#missed += 1;
  }

  #end(state: { readonly kind: 'failed'; readonly error: unknown } | { readonly kind: 'done' }): void {
    if (this.#state.kind !== 'open') return;
    const [first, ...others] = this.#readers.splice(0);
    this.#state = first === undefined ? state : { kind: 'done' };
    if (first !== undefined && state.kind === 'failed') first.reject(state.error);
    else first?.resolve({ value: undefined, done: true });
    for (const reader of others) reader.resolve({ value: undefined, done: true });
  }
}
