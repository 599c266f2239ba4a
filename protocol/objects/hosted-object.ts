// Objects implemented in JavaScript, as BusObjects. Layer 3: payloads in, calls on functions, payloads out.
// It knows no peers and no sessions; ids of signal links and of objects are theirs. Error texts are those of libqi.
import {
  type BusObject,
  type CallHandle,
  type CallRequest,
  type EventSink,
  type Payload,
  type ReplySink,
  releasePayload,
  type Subscription,
} from '../bus/bus.ts';
import { conversionScore } from '../bus/convert.ts';
import { type MetaObject, STANDARD_METHODS, StandardAction } from '../bus/metaobject.ts';
import { failedSubscription } from '../bus/peer-object.ts';
import { QiwayError } from '../errors.ts';
import { ActiveCall, failureOf } from './active-call.ts';
import { callFailed, fitArguments, readArguments } from './arguments.ts';
import { memberNotFound } from './member-not-found.ts';
import { type Layout, layOut, type Members, type MethodMember, method } from './members.ts';
import { observed, Statistics } from './statistics.ts';
import { StoredProperties } from './stored-properties.ts';
import { Subscribers } from './subscribers.ts';
import { asDynamic, convertPayload, encodePayload, type ObjectMapper, plainObjects } from './values.ts';

export {
  type CallContext,
  type Members,
  type MethodMember,
  method,
  type PropertyMember,
  property,
  type SignalMember,
  signal,
} from './members.ts';

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

/**
 * An object that others can call, from its members.
 * @throws `invalid-argument` for a signature that is none
 * @example
 * const lamp = createObject({
 *   blink: method('(i)', 'v', (times: number) => lamp.emit('blinked', times), { parameters: ['times'] }),
 *   blinked: signal('(i)'),
 *   brightness: property('f', 0.5, { set: (value: number) => Math.min(value, 1) }),
 * });
 */
export function createObject(members: Members, options: HostedOptions = {}): HostedObject {
  const layout = layOut(members, options.description);
  return new Hosted(layout, options);
}

const NO_SINK: ReplySink = { reply: releasePayload, error: () => {}, canceled: () => {} };
const IDLE: CallHandle = { cancel: () => {} };
const TRACE_SIGNAL = 'traceObject';

class Hosted implements HostedObject {
  readonly metaObject: MetaObject;
  readonly uid: Uint8Array;
  readonly #layout: Layout;
  #mapper: ObjectMapper;
  readonly #options: HostedOptions;
  readonly #subscribers = new Subscribers();
  readonly #properties: StoredProperties;
  readonly #goneListeners = new Set<(error: QiwayError) => void>();
  readonly #statistics = new Statistics();
  #references = 1;
  #goneWith: QiwayError | undefined;

  constructor(layout: Layout, options: HostedOptions) {
    this.#layout = layout;
    this.#options = options;
    this.#mapper = options.mapper ?? plainObjects;
    this.metaObject = layout.metaObject;
    this.uid = options.uid ?? Uint8Array.from({ length: 20 }, () => Math.random() * 256);
    this.#properties = new StoredProperties(layout, this.#subscribers, () => this.#mapper);
  }

  get goneWith(): QiwayError | undefined {
    return this.#goneWith;
  }

  call(request: CallRequest, sink: ReplySink): CallHandle {
    const { action, payload, returnSignature } = request;
    if (this.#goneWith !== undefined) {
      releasePayload(payload);
      sink.error(this.#goneWith);
      return IDLE;
    }
    const own = this.#layout.methods.get(action);
    const member = own ?? this.#standard(action);
    const { parameters, returns } = member;
    const isHopeless = returnSignature !== undefined && conversionScore(returns, returnSignature) === 0;
    let args: unknown[];
    try {
      if (isHopeless)
        throw callFailed(`Call error: will not be able to convert return type from ${returns} to ${returnSignature}`);
      args =
        member.isRaw === true ? [fitArguments(payload, parameters)] : readArguments(payload, parameters, this.#mapper);
    } catch (error) {
      if (isHopeless) releasePayload(payload);
      sink.error(failureOf(error));
      return IDLE;
    }
    const isObserved = own !== undefined && (this.#statistics.isEnabled || this.#statistics.isTracing);
    const call = new ActiveCall(isObserved ? this.#observe(action, args, sink) : sink, (value) => {
      const given =
        member.isRaw === true && value !== undefined
          ? (value as Payload)
          : encodePayload(returns, returns === 'v' ? undefined : value, this.#mapper);
      return returnSignature === undefined ? given : convertResult(given, returnSignature);
    });
    call.run(member, args, request.caller);
    return call;
  }

  post(action: number, payload: Payload): void {
    if (this.metaObject.methods.has(action)) {
      this.call({ action, payload }, NO_SINK);
      return;
    }
    const declared = this.metaObject.signals.get(action)?.signature;
    // A posted property would be told to the subscribers without having been stored.
    if (declared === undefined || this.metaObject.properties.has(action)) return releasePayload(payload);
    try {
      this.#subscribers.send(action, fitArguments(payload, declared));
    } catch {
      // Posts fail silently, as on the bus.
    }
  }

  subscribe(signal: number, sink: EventSink): Subscription {
    const refusal =
      this.#goneWith ?? (this.metaObject.signals.has(signal) ? undefined : callFailed(`No such signal {${signal}}`));
    if (refusal !== undefined) return failedSubscription(refusal);
    return this.#subscribers.add(signal, sink);
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
    this.#properties.clear();
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
    return this.#properties.valueOf(this.#propertyId(propertyName));
  }

  set(propertyName: string, value: unknown): void {
    this.#properties.set(this.#propertyId(propertyName), value);
  }

  /** The methods of every object, as members: those that move payloads are raw, they get and give them as they are. */
  #standard(action: number): MethodMember {
    const statistics = this.#statistics;
    const { parametersSignature: parameters, returnSignature: returns } = STANDARD_METHODS.find(
      ({ uid }) => uid === action,
    ) ?? { parametersSignature: 'm', returnSignature: 'v' };
    const plain = (run: (...args: never[]) => unknown): MethodMember => ({
      ...method(parameters, returns, run),
      isPlain: true,
    });
    const raw = (run: (payload: Payload) => unknown): MethodMember => ({ ...plain(run), isRaw: true });
    switch (action) {
      case StandardAction.metaObject:
        return plain(() => this.metaObject);
      case StandardAction.property:
        return raw((payload) => this.#properties.get(payload));
      case StandardAction.setProperty:
        return raw((payload) => this.#properties.setFromOutside(payload));
      case StandardAction.properties:
        return plain(() => [...this.metaObject.properties.values()].map(({ name }) => name));
      case StandardAction.isStatsEnabled:
        return plain(() => statistics.isEnabled);
      case StandardAction.enableStats:
        return plain((isOn: boolean) => {
          statistics.isEnabled = isOn;
        });
      case StandardAction.stats:
        return plain(() => statistics.snapshot());
      case StandardAction.clearStats:
        return plain(() => statistics.clear());
      case StandardAction.isTraceEnabled:
        return plain(() => statistics.isTracing);
      case StandardAction.enableTrace:
        return plain((isOn: boolean) => {
          statistics.isTracing = isOn;
        });
      default:
        return plain(() => {
          throw callFailed(`No such method {${action}}`);
        });
    }
  }

  adopt(mapper: ObjectMapper): void {
    if (this.#mapper === plainObjects && this.#options.mapper === undefined) this.#mapper = mapper;
  }

  #observe(action: number, args: readonly unknown[], sink: ReplySink): ReplySink {
    const trace = (event: unknown): void => this.emit(TRACE_SIGNAL, event);
    return observed(
      { action, args, sink },
      { statistics: this.#statistics, trace, now: this.#options.now ?? Date.now },
    );
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

/** The result in the signature the caller asked for; as it is when the value does not allow it. */
function convertResult(given: Payload, signature: string): Payload {
  for (const object of given.objects) object.retain();
  try {
    const converted = asDynamic(convertPayload(given, signature));
    releasePayload(given);
    return converted;
  } catch {
    return given;
  }
}
