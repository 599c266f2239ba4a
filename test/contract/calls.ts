// Calls and subscriptions by name on bare BusObjects, as values and promises: what the contract tests speak.
import type { BusObject, CallHandle, Payload, Subscription } from '../../protocol/bus/bus.ts';
import { StandardAction } from '../../protocol/bus/metaobject.ts';
import { QiwayError } from '../../protocol/errors.ts';
import { decodePayload, encodePayload, plainObjects } from '../../protocol/objects/values.ts';
import { Dynamic } from '../../protocol/wire/value.ts';

/** A call under way. */
export interface Started {
  readonly outcome: Promise<unknown>;
  readonly handle: CallHandle;
}

export function methodOf(
  object: BusObject,
  name: string,
): { readonly uid: number; readonly parametersSignature: string } {
  const found = [...object.metaObject.methods.values()].find((method) => method.name === name);
  if (found === undefined) throw new Error(`the object has no method ${name}`);
  return found;
}

export function signalOf(object: BusObject, name: string): number {
  const found = [...object.metaObject.signals.values()].find((signal) => signal.name === name);
  if (found === undefined) throw new Error(`the object has no signal ${name}`);
  return found.uid;
}

/** Objects in the answer are the caller's. */
export function start(
  object: BusObject,
  request: { readonly action: number; readonly payload: Payload; readonly returnSignature?: string },
): Started {
  let handle: CallHandle = { cancel: () => {} };
  const outcome = new Promise<unknown>((resolve, reject) => {
    handle = object.call(request, {
      reply: (payload) => {
        try {
          resolve(payload.signature === 'v' ? undefined : decodePayload(payload, plainObjects));
        } catch (error) {
          reject(error);
        }
      },
      error: reject,
      canceled: () => reject(new QiwayError('canceled', 'The callee stopped the call.')),
    });
  });
  // Whoever waits for it sees the failure; a test that ends first does not want to.
  outcome.catch(() => {});
  return { outcome, handle };
}

export function startCall(object: BusObject, name: string, ...args: unknown[]): Started {
  const { uid, parametersSignature } = methodOf(object, name);
  return start(object, { action: uid, payload: encodePayload(parametersSignature, args, plainObjects) });
}

export function callMethod(object: BusObject, name: string, ...args: unknown[]): Promise<unknown> {
  return startCall(object, name, ...args).outcome;
}

export function getProperty(object: BusObject, name: string): Promise<unknown> {
  return start(object, {
    action: StandardAction.property,
    payload: encodePayload('(m)', [new Dynamic('s', name)], plainObjects),
  }).outcome;
}

export function setProperty(object: BusObject, name: string, value: Dynamic): Promise<unknown> {
  return start(object, {
    action: StandardAction.setProperty,
    payload: encodePayload('(mm)', [new Dynamic('s', name), value], plainObjects),
  }).outcome;
}

/** What a promise was rejected with. */
export async function failureOf(promise: Promise<unknown>): Promise<QiwayError> {
  try {
    const value = await promise;
    throw new Error(`it did not fail, and gave ${String(value)}`);
  } catch (error) {
    if (error instanceof QiwayError) return error;
    throw error;
  }
}

/** Things that come by and by, and a promise for when there are enough. */
export class Collected<T> {
  readonly all: T[] = [];
  readonly #waiting = new Set<() => void>();

  add(one: T): void {
    this.all.push(one);
    for (const look of [...this.#waiting]) look();
  }

  /** Resolves with all once `isEnough`. */
  until(isEnough: (all: readonly T[]) => boolean): Promise<readonly T[]> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!isEnough(this.all)) return;
        this.#waiting.delete(look);
        resolve([...this.all]);
      };
      this.#waiting.add(look);
      look();
    });
  }

  count(count: number): Promise<readonly T[]> {
    return this.until((all) => all.length >= count);
  }
}

export interface Watched extends Subscription {
  /** Arguments of each event. */
  readonly events: Collected<unknown>;
  readonly gone: Promise<QiwayError>;
}

/** Subscribes; to be used once `ready`. */
export function watch(object: BusObject, signal: string | number): Watched {
  const events = new Collected<unknown>();
  let settleGone: (error: QiwayError) => void = () => {};
  const gone = new Promise<QiwayError>((resolve) => {
    settleGone = resolve;
  });
  const subscription = object.subscribe(typeof signal === 'number' ? signal : signalOf(object, signal), {
    event: (payload) => events.add(decodePayload(payload, plainObjects)),
    gone: (error) => settleGone(error),
  });
  return { ready: subscription.ready, close: () => subscription.close(), events, gone };
}
