// Requests and responses of the HTTP door as plain data, so that a server and a service worker use the same door. Pure.
import type { Bus } from '../bus/bus.ts';
import type { Clock } from '../clock.ts';
import type { QiwayError } from '../errors.ts';
import type { MemberClass } from '../member-class.ts';

/** What the door needs of a bus. */
export type DoorBus = Pick<Bus, 'services' | 'service' | 'listen'>;

export interface DoorRequest {
  /** In capitals. */
  readonly method: string;
  /** Path and query as they came, percent-encoded; begins with `/robot/`. */
  readonly path: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Uint8Array | AsyncIterable<Uint8Array>;
  /** Tells the door that nobody waits any more: a call under way is cancelled on the robot. */
  readonly onAborted?: (stop: () => void) => void;
}

export interface DoorResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** An iterable ends with the events of a signal; whoever stops reading must `return()` it. */
  readonly body: Uint8Array | AsyncIterable<Uint8Array>;
}

export interface DoorOptions {
  readonly clock: Clock;
  /** Names the runs of event numbers apart: a text that is new with every call, without `-`. */
  readonly newEpoch: () => string;
  /** For the OpenAPI document. */
  readonly version?: string;
  /** How long a call may take; 30 s. */
  readonly callTimeoutMs?: number;
  /** Largest body of a request, bytes; 32 MiB, enough for a 24 MB raw as base64. */
  readonly maxBodyBytes?: number;
  /** What a member does: those of class `idempotent` that answer something can be asked with GET. Default: nobody knows. */
  readonly classOf?: (service: string, member: string) => MemberClass | undefined;
  /** Why a call, or a new value of a property, goes no further. */
  readonly refuse?: (service: string, member: string) => QiwayError | undefined;
  /** Makes pictures of cameras small, where bytes cost something; to the zlib format. Default: they stay as large as they are. */
  readonly deflate?: (bytes: Uint8Array) => Promise<Uint8Array>;
  /**
   * How old what the bus tells of its services is, ms: it is remembered, since the robot cannot be asked. Undefined: the robot
   * tells it now. Default: always that.
   */
  readonly rememberedForMs?: () => number | undefined;
  /** Told of every call on the bus, for counting. */
  readonly onCall?: () => void;
}
