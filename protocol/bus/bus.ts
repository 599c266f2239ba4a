// The Bus seam: what a robot offers. Layer 2. Implemented by the embedded bus, by a qi client over TCP,
// and by a client's session; so a page sees the same interface as the agent. It knows no sockets, no time, no values:
// payloads pass as bytes with their signature, and are encoded and decoded only at the ends.
import type { QiwayError } from '../errors.ts';
import type { ObjectEncoding } from '../wire/objects.ts';
import type { Demand } from './demand.ts';
import type { MetaObject } from './metaobject.ts';

/**
 * The bytes of one message, with what is needed to read them.
 *
 * An object (`o`) inside `bytes` is written with service 0 and, as object id, its position in `objects` plus one
 * (0 is the null object), uid included, no metaobject cache. So bytes without objects pass from one bus to another
 * untouched, and bytes with objects need new numbers only.
 *
 * Ownership: whoever receives a payload owns one reference of every entry of `objects` and must `release()` it.
 */
export interface Payload {
  /** How to read `bytes`: the member's own signature, or `m` for a dynamic payload (header flag 1). */
  readonly signature: string;
  /** A view; valid as long as it is referenced, never written to after it was handed on. */
  readonly bytes: Uint8Array;
  /** `NO_OBJECTS`, and no other empty array, when there is not even a null object: then the bytes need no look. */
  readonly objects: readonly BusObject[];
}

/** One call on an object. */
export interface CallRequest {
  /** Method id; 5 to 7 and 80 to 85 (properties, statistics) are methods of every object. */
  readonly action: number;
  readonly payload: Payload;
  /** Ask the callee to convert its result (header flag 2); the reply is then a dynamic. */
  readonly returnSignature?: string;
  /** Who calls, by identity only: the peer of the socket or link the call came in by. Not sent on. */
  readonly caller?: object;
}

/** How something is posted. */
export interface PostOptions {
  /**
   * `lossy`: only the newest for a member is worth anything. It goes at once or is replaced by the next one; it is not sent
   * again over another link, not kept while there is none, and given up when something else is sent to the same object,
   * so that it never comes after that. Default `reliable`. Who has no such lane takes it as any other.
   */
  readonly lane?: 'reliable' | 'lossy';
}

/** Takes the one outcome of a call. Exactly one of these is called, once; none may throw. */
export interface ReplySink {
  reply(payload: Payload): void;
  error(error: QiwayError): void;
  /** The callee stopped the call because it was asked to. */
  canceled(): void;
}

/** A call under way. */
export interface CallHandle {
  /** Asks the callee to stop; the outcome still comes through the sink, and may be an ordinary reply. */
  cancel(): void;
}

/** A subscription to one signal (or to a property, by its id). */
export interface Subscription {
  /** Resolves once the object confirmed. @throws QiwayError as a rejection; the subscription is then closed. */
  readonly ready: Promise<void>;
  /** Set where the object cannot be asked yet: settles when it is, or has ended. Never rejects. */
  readonly asked?: Promise<void>;
  /** Events are wanted otherwise from now on. Absent where who sends cannot be told. */
  demand?(demand: Demand): void;
  /** Resolves once no event can follow. Idempotent, never rejects. */
  close(): Promise<void>;
}

/** What takes the events of a subscription. */
export interface EventSink {
  /** How events are wanted that come faster than they are taken; default: every one. Who cannot tell them apart sends all. */
  readonly demand?: Demand;
  /** The receiver owns the references of `payload.objects`. Must not throw. */
  event(payload: Payload): void;
  /**
   * Events may have been missed, so many or, undefined, nobody knows how many; the subscription goes on. In order with
   * the events. Must not throw.
   */
  gap?(missed: number | undefined): void;
  /** The object ended; nothing follows. */
  gone(error: QiwayError): void;
}

/**
 * A qi object, wherever it lives. Counted: a maker hands it out with one reference, `retain` adds one, `release`
 * drops one, and with the last one its host is told (`terminate`).
 */
export interface BusObject {
  readonly metaObject: MetaObject;
  /** 20 bytes; equal means the same object. Not to be written to. */
  readonly uid: Uint8Array;
  call(request: CallRequest, sink: ReplySink): CallHandle;
  /** Calls a method without an answer, or emits a signal. Failures are silent, as on the bus. */
  post(action: number, payload: Payload, options?: PostOptions): void;
  subscribe(signal: number, sink: EventSink): Subscription;
  retain(): void;
  release(): void;
  /** Set once the object can no longer be reached. */
  readonly goneWith: QiwayError | undefined;
  /** Calls `listener` once, when `goneWith` is set (at once if it is); returns how to stop listening. */
  onGone(listener: (error: QiwayError) => void): () => void;
}

/** What a directory says of a service (qi: `ServiceInfo`, seven fields since libqi 4). */
export interface ServiceInfo {
  readonly name: string;
  readonly serviceId: number;
  readonly machineId: string;
  readonly processId: number;
  readonly endpoints: readonly string[];
  readonly sessionId: string;
  /** 20 raw bytes, or empty. */
  readonly objectUid: Uint8Array;
}

/** A service that this side registered. */
export interface HostedService {
  readonly name: string;
  readonly serviceId: number;
  /** Takes the service off the bus. Idempotent. */
  close(): Promise<void>;
  /** Settles when the service is off the bus for whatever reason; the reason, if it was not `close()`. */
  readonly closed: Promise<QiwayError | undefined>;
}

export type BusState = 'up' | 'down' | 'closed';

/** What a bus tells, in order. */
export interface BusListener {
  serviceAdded?(info: { readonly name: string; readonly serviceId: number }): void;
  serviceRemoved?(info: { readonly name: string; readonly serviceId: number }): void;
  /** `up`: the directory answers. `down`: it does not, everything obtained from it is gone. `closed`: for good. */
  stateChanged?(state: BusState, reason?: QiwayError): void;
}

/** The services of a robot. */
export interface Bus {
  readonly state: BusState;
  /** The id of the machine that runs the directory. */
  readonly machineId: string;
  /** All ready services, the directory itself included. @throws `bus-down`, `closed`, `timeout` */
  services(): Promise<readonly ServiceInfo[]>;
  /**
   * The object of a service, with one reference for the caller; the service directory is a service too.
   * @throws `service-not-found`, `endpoint-unreachable`, `bus-down`, `closed`, `timeout`
   */
  service(name: string): Promise<BusObject>;
  /** What the directory says of one service. @throws as `service` */
  serviceInfo(name: string): Promise<ServiceInfo>;
  /** Registers `object` (one reference is taken over) and declares it ready. @throws `service-name-taken`, `bus-down`, `closed` */
  host(name: string, object: BusObject): Promise<HostedService>;
  /** Returns how to stop listening. */
  listen(listener: BusListener): () => void;
  /** Ends it for this side: hosted services leave the bus, everything obtained from it is gone. Idempotent. */
  close(): Promise<void>;
}

/** Shared, so that payloads without objects cost no array. */
export const NO_OBJECTS: readonly BusObject[] = Object.freeze([]);

/** How objects are written in the bytes of a {@link Payload}. */
export const SEAM_ENCODING: ObjectEncoding = { hasUid: true };

/** The payload bytes of what has none. */
export const EMPTY_BYTES: Uint8Array = new Uint8Array(0);

/** Drops the references that came with a payload nobody will read. */
export function releasePayload(payload: Payload): void {
  if (payload.objects !== NO_OBJECTS) for (const object of payload.objects) object.release();
}
