// A service of the robot as the agent's own bus shows it: one object for as long as the service keeps its name and its
// metaobject, whatever becomes of the robot's bus meanwhile. Robot-agent; knows objects only: who fetches it is mirrored-services.ts.
import {
  type BusObject,
  type CallHandle,
  type CallRequest,
  type EventSink,
  type Payload,
  type ReplySink,
  releasePayload,
  type Subscription,
} from '@qiway/protocol/bus/bus';
import type { MetaObject } from '@qiway/protocol/bus/metaobject';
import { failedSubscription } from '@qiway/protocol/bus/peer-object';
import type { Clock } from '@qiway/protocol/clock';
import { QiwayError } from '@qiway/protocol/errors';
import { MirroredSubscription } from './mirrored-subscription.ts';

export interface MirroredServiceOptions {
  readonly name: string;
  readonly clock: Clock;
  /** The object on the robot's bus is gone; the service is away until `attach` or `end`. */
  readonly onLost: (error: QiwayError) => void;
}

type State =
  | { readonly kind: 'with'; readonly object: BusObject; readonly stopListening: () => void }
  | { readonly kind: 'away'; readonly error: QiwayError }
  | { readonly kind: 'gone'; readonly error: QiwayError };

const IDLE_HANDLE: CallHandle = { cancel: () => {} };

/**
 * With its object on the robot's bus it passes everything on. Away, calls fail at once and have not run, subscriptions
 * wait. Gone, it is dead for good.
 */
export class MirroredService implements BusObject {
  readonly metaObject: MetaObject;
  readonly #options: MirroredServiceOptions;
  readonly #subscriptions = new Set<MirroredSubscription>();
  readonly #goneListeners = new Set<(error: QiwayError) => void>();
  #uid: Uint8Array;
  #references = 1;
  #state: State = { kind: 'away', error: new QiwayError('internal', 'The service was never there.') };

  /** Takes over one reference of `object`. */
  constructor(object: BusObject, options: MirroredServiceOptions) {
    this.#options = options;
    this.metaObject = object.metaObject;
    this.#uid = object.uid;
    this.attach(object);
  }

  /** Of the object that is or was behind it. */
  get uid(): Uint8Array {
    return this.#uid;
  }

  get goneWith(): QiwayError | undefined {
    return this.#state.kind === 'gone' ? this.#state.error : undefined;
  }

  get isAway(): boolean {
    return this.#state.kind === 'away';
  }

  call(request: CallRequest, sink: ReplySink): CallHandle {
    const state = this.#state;
    if (state.kind === 'with') return state.object.call(request, sink);
    releasePayload(request.payload);
    sink.error(state.error);
    return IDLE_HANDLE;
  }

  post(action: number, payload: Payload): void {
    if (this.#state.kind === 'with') this.#state.object.post(action, payload);
    else releasePayload(payload);
  }

  /** Away, it is confirmed when the service is back, or fails with why it is away after 20 s. */
  subscribe(signal: number, sink: EventSink): Subscription {
    const state = this.#state;
    if (state.kind === 'gone') return failedSubscription(state.error);
    const subscription = new MirroredSubscription(signal, sink, {
      clock: this.#options.clock,
      onClosed: () => this.#subscriptions.delete(subscription),
    });
    this.#subscriptions.add(subscription);
    if (state.kind === 'with') subscription.begin(state.object);
    else subscription.wait(state.error);
    return subscription;
  }

  retain(): void {
    this.#references += 1;
  }

  release(): void {
    if (this.#references === 0) return;
    this.#references -= 1;
    if (this.#references === 0)
      this.end(new QiwayError('service-gone', `Service ${this.#options.name} was released.`, this.#about()));
  }

  onGone(listener: (error: QiwayError) => void): () => void {
    if (this.#state.kind === 'gone') {
      listener(this.#state.error);
      return () => {};
    }
    this.#goneListeners.add(listener);
    return () => this.#goneListeners.delete(listener);
  }

  // ---- for the mirror ----------------------------------------------------------------------------------------------

  /**
   * The service is there (again): calls go to `object`, whose reference is taken over; subscriptions are made on it, and
   * each that was there before is told of a gap. Once gone, the object is given back.
   */
  attach(object: BusObject): void {
    if (this.#state.kind !== 'away') return object.release();
    this.#uid = object.uid;
    const state: State = { kind: 'with', object, stopListening: () => stopListening() };
    this.#state = state;
    let stopListening = (): void => {};
    stopListening = object.onGone((error) => {
      if (this.#state !== state) return;
      this.leave(this.#awayWith(error));
      this.#options.onLost(error);
    });
    if (this.#state === state) for (const subscription of [...this.#subscriptions]) subscription.begin(object);
  }

  /** The service cannot be reached until `attach`; calls fail with `error` meanwhile. */
  leave(error: QiwayError): void {
    const state = this.#state;
    if (state.kind === 'gone') return;
    this.#state = { kind: 'away', error };
    if (state.kind === 'with') {
      state.stopListening();
      state.object.release();
    }
    for (const subscription of [...this.#subscriptions]) subscription.wait(error);
  }

  /** It left for good. */
  end(error: QiwayError): void {
    const state = this.#state;
    if (state.kind === 'gone') return;
    this.#state = { kind: 'gone', error };
    for (const subscription of [...this.#subscriptions]) subscription.end(error);
    this.#subscriptions.clear();
    for (const listener of [...this.#goneListeners]) listener(error);
    this.#goneListeners.clear();
    if (state.kind !== 'with') return;
    state.stopListening();
    state.object.release();
  }

  /** A bus that goes down says so of all its objects; anything else is said of this one. */
  #awayWith(error: QiwayError): QiwayError {
    if (error.code === 'bus-down') return error;
    return new QiwayError('service-gone', `The program that offers ${this.#options.name} cannot be reached.`, {
      ...this.#about(),
      cause: error,
    });
  }

  #about(): { readonly data: { readonly service: string } } {
    return { data: { service: this.#options.name } };
  }
}
