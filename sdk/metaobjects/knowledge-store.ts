// What keeps knowledge of robots over loads of a page, and what it keeps. Types, and the bounds of every such store.
import type { ServiceInfo } from '@qiway/protocol/bus/bus';
import type { ToldRule } from '@qiway/protocol/member-class';

export interface LeftService {
  readonly service: ServiceInfo;
  /** Milliseconds since 1970. */
  readonly atMs: number;
}

export interface KnownRecord {
  /** Of the robot. */
  readonly id: string;
  /** Where it was reached: by the URL that was given. */
  readonly link: string;
  /** Milliseconds since 1970. */
  readonly changedMs: number;
  readonly services: readonly ServiceInfo[];
  /** Those that left lately, the oldest first. */
  readonly left: readonly LeftService[];
  readonly classes: readonly ToldRule[];
}

export interface KnownMetaObject {
  readonly robot: string;
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly nowMs: number;
}

/** Every method may reject. */
export interface KnowledgeStore {
  robot(id: string): Promise<KnownRecord | undefined>;
  /** The one that was last reached by this URL. */
  robotAt(link: string): Promise<string | undefined>;
  /** The oldest go when there are too many. */
  putRobot(record: KnownRecord): Promise<void>;
  metaObject(robot: string, name: string): Promise<Uint8Array | undefined>;
  /** In place of the one before; the oldest go when there are too many, or too many bytes. One that is too large is not kept. */
  putMetaObject(metaObject: KnownMetaObject): Promise<void>;
}

export interface KnowledgeLimits {
  readonly maxRobots: number;
  readonly maxMetaObjects: number;
  readonly maxBytes: number;
  readonly maxMetaObjectBytes: number;
}

/** A NAO has some 80 services of 8 kB each; the page of a fleet shows dozens of robots. */
export const KNOWLEDGE_LIMITS: KnowledgeLimits = {
  maxRobots: 64,
  maxMetaObjects: 2048,
  maxBytes: 16 * 1024 * 1024,
  maxMetaObjectBytes: 1024 * 1024,
};

export function newKnownRecord(id: string): KnownRecord {
  return { id, link: '', changedMs: 0, services: [], left: [], classes: [] };
}
