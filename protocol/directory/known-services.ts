// What is remembered of one robot's services between sessions: the seam to who remembers it. Layer 4; types only.
import type { ServiceInfo } from '../bus/bus.ts';
import type { ToldRule } from '../member-class.ts';

/** Nothing here throws or rejects, and nothing takes long: what cannot be read in time is not known. */
export interface KnownServices {
  /** The link is to this robot: what is remembered of it is read. */
  open(robotId: string): Promise<void>;
  /** Those there were last, as far as they were told, and those that left lately; empty: nothing is known. */
  readonly services: readonly ServiceInfo[];
  /** These there are now. */
  listed(services: readonly ServiceInfo[]): void;
  /** In place of one of the same name. */
  added(service: ServiceInfo): void;
  removed(serviceId: number): void;
  /** Bytes of the metaobject that a service of this name had last. */
  metaObject(name: string): Promise<Uint8Array | undefined>;
  /** Of these bytes nothing is kept that is not copied. */
  learned(name: string, metaObject: Uint8Array): void;
  /** What calls do, as the agent said last. */
  readonly classes: readonly ToldRule[];
  classesTold(rules: readonly ToldRule[]): void;
}
