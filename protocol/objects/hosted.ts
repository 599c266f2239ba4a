// An object implemented in JavaScript, as a BusObject: what it is, who holds it, who listens to it. How it answers calls is
// given (answers.ts), and may be loaded when the first call comes. Layer 3; knows no peers and no sessions.
import type { BusObject, CallHandle, CallRequest, EventSink, Payload, ReplySink, Subscription } from '../bus/bus.ts';
import { releasePayload } from '../bus/bus.ts';
import { type MetaObject, StandardAction } from '../bus/metaobject.ts';
import { failedSubscription, IDLE_HANDLE } from '../bus/peer-object.ts';
import { QiwayError } from '../errors.ts';
import { callFailed } from './call-failed.ts';
import { memberNotFound } from './member-not-found.ts';
import { type Layout, layOut, type Members } from './members.ts';
import { PropertyStore } from './property-store.ts';
import { Subscribers } from './subscribers.ts';
import { encodePayload, type ObjectMapper, plainObjects } from './values.ts';

export interface HostedOptions {
  readonly description?: string;
  /** How objects in arguments and results look to the implementation. Default: as BusObjects. */
  readonly mapper?: ObjectMapper;
  /** 20 bytes. Default: random, so that no two objects have the same. */
  readonly uid?: Uint8Array;
  /** Called each time the last reference beside the maker's is dropped: nobody else holds the object. */
  readonly onUnused?: () => void;
  /** Milliseconds since the epoch, for statistics. */
  readonly now?: () => number;
}

/** An object implemented here. Its maker holds one reference. */
export interface HostedObject extends BusObject {
  /** Sends a signal to its subscribers. @throws `member-not-found`, `invalid-argument` when the arguments do not fit */
  emit(signalName: string, ...args: unknown[]): void;
  /** The stored value of a property. @throws `member-not-found` */
  get(propertyName: string): unknown;
  /** Stores a value and tells the subscribers; the property's own `set` is not asked. @throws `member-not-found`, `invalid-argument` */
  set(propertyName: string, value: unknown): void;
  /** How objects look to the implementation from now on; ignored when the object was made with a mapper, or has one already. */
  adopt(mapper: ObjectMapper): void;
}

/** What the answering side needs of its object. */
export interface HostedState {
  readonly layout: Layout;
  readonly store: PropertyStore;
  readonly subscribers: Subscribers;
  readonly mapper: ObjectMapper;
  /** On while somebody listens to `traceObject`, and as `enableTrace` says. */
  isTracing: boolean;
  /** Emits an event of `traceObject`. */
  trace(event: unknown): void;
  /** Milliseconds since the epoch. */
  now(): number;
}

/** Answers what comes in for one object. Takes over the references of payloads. */
export interface Answers {
  call(request: CallRequest, sink: ReplySink): CallHandle;
  post(action: number, payload: Payload): void;
}

export type AnswersFor = (state: HostedState) => Answers;

/** The object of these members. @throws `invalid-argument` for a signature that is none */
export function hostMembers(members: Members, options: HostedOptions, answersFor: AnswersFor): HostedObject {
  return new Hosted(layOut(members, options.description), options, answersFor);
}

const TRACE_SIGNAL = 'traceObject';

class Hosted implements HostedObject {
  readonly metaObject: MetaObject;
  readonly uid: Uint8Array;
  readonly #layout: Layout;
  #mapper: ObjectMapper;
  readonly #options: HostedOptions;
  readonly #subscribers = new Subscribers();
  readonly #store: PropertyStore;
  readonly #answers: Answers;
  readonly #state: HostedState;
  readonly #goneListeners = new Set<(error: QiwayError) => void>();
  #references = 1;
  #goneWith: QiwayError | undefined;

  constructor(layout: Layout, options: HostedOptions, answersFor: AnswersFor) {
    this.#layout = layout;
    this.#options = options;
    this.#mapper = options.mapper ?? plainObjects;
    this.metaObject = layout.metaObject;
    this.uid = options.uid ?? Uint8Array.from({ length: 20 }, () => Math.random() * 256);
    const mapper = (): ObjectMapper => this.#mapper;
    this.#store = new PropertyStore(layout, this.#subscribers, mapper);
    this.#state = {
      layout,
      store: this.#store,
      subscribers: this.#subscribers,
      get mapper() {
        return mapper();
      },
      isTracing: false,
      trace: (event) => this.emit(TRACE_SIGNAL, event),
      now: options.now ?? Date.now,
    };
    this.#answers = answersFor(this.#state);
  }

  get goneWith(): QiwayError | undefined {
    return this.#goneWith;
  }

  call(request: CallRequest, sink: ReplySink): CallHandle {
    if (this.#goneWith === undefined) return this.#answers.call(request, sink);
    releasePayload(request.payload);
    sink.error(this.#goneWith);
    return IDLE_HANDLE;
  }

  post(action: number, payload: Payload): void {
    this.#answers.post(action, payload);
  }

  subscribe(signal: number, sink: EventSink): Subscription {
    const refusal =
      this.#goneWith ?? (this.metaObject.signals.has(signal) ? undefined : callFailed(`No such signal {${signal}}`));
    if (refusal !== undefined) return failedSubscription(refusal);
    const subscription = this.#subscribers.add(signal, sink);
    return signal === StandardAction.traceObject ? this.#tracing(subscription) : subscription;
  }

  /** As libqi: the first who listens to the trace turns it on, the last who goes turns it off. */
  #tracing({ ready, close }: Subscription): Subscription {
    this.#state.isTracing = true;
    return {
      ready,
      close: () => {
        const closed = close();
        if (!this.#subscribers.has(StandardAction.traceObject)) this.#state.isTracing = false;
        return closed;
      },
    };
  }

  retain(): void {
    this.#references += 1;
  }

  release(): void {
    if (this.#references === 0) return;
    this.#references -= 1;
    if (this.#references === 1) this.#options.onUnused?.();
    if (this.#references > 0 || this.#goneWith !== undefined) return;
    const error = new QiwayError('object-gone', 'The object was released by everybody who held it.');
    this.#goneWith = error;
    this.#store.clear();
    this.#subscribers.end(error);
    for (const listener of [...this.#goneListeners]) listener(error);
    this.#goneListeners.clear();
  }

  onGone(listener: (error: QiwayError) => void): () => void {
    if (this.#goneWith !== undefined) {
      listener(this.#goneWith);
      return () => {};
    }
    this.#goneListeners.add(listener);
    return () => this.#goneListeners.delete(listener);
  }

  emit(signalName: string, ...args: unknown[]): void {
    const id = this.#idOf(signalName);
    this.#subscribers.send(id, encodePayload(this.metaObject.signals.get(id)?.signature ?? '()', args, this.#mapper));
  }

  get(propertyName: string): unknown {
    return this.#store.get(this.#propertyId(propertyName))?.value;
  }

  set(propertyName: string, value: unknown): void {
    this.#store.set(this.#propertyId(propertyName), value);
  }

  adopt(mapper: ObjectMapper): void {
    if (this.#mapper === plainObjects && this.#options.mapper === undefined) this.#mapper = mapper;
  }

  #idOf(name: string): number {
    const id = name === TRACE_SIGNAL ? StandardAction.traceObject : this.#layout.idByName.get(name);
    if (id === undefined) throw memberNotFound(name, [...this.#layout.idByName.keys()]);
    return id;
  }

  #propertyId(name: string): number {
    const id = this.#idOf(name);
    if (!this.#layout.properties.has(id))
      throw new QiwayError('member-not-found', `"${name}" is a signal, not a property.`, { data: { member: name } });
    return id;
  }
}
