// What a call does to the world, by service and member: whether it may wait, be made again, or must happen now or never.
// Layer 0: agent and client read the same rules; it knows no bus.

/**
 * `idempotent`: made twice it does what it does once. `once`: it must not be made twice. `motion`: the robot moves; it
 * happens now or never, and is not queued, repeated or replayed.
 */
export type MemberClass = 'idempotent' | 'once' | 'motion';

export interface ClassRule {
  /** `Service.member`, each with `*` for any text. */
  readonly pattern: string;
  readonly memberClass: MemberClass;
}

/** As a welcome tells them. */
export type ToldRule = readonly [pattern: string, memberClass: MemberClass];

const CLASSES: ReadonlySet<string> = new Set<MemberClass>(['idempotent', 'once', 'motion']);
const RULE = /^([\w*-]+\.[\w*-]+)=(\w+)$/;

/** Of `PATTERN=CLASS`; undefined when it is none. */
export function readClassRule(text: string): ClassRule | undefined {
  const [, pattern, memberClass] = RULE.exec(text) ?? [];
  if (pattern === undefined || !CLASSES.has(memberClass as string)) return undefined;
  return { pattern, memberClass: memberClass as MemberClass };
}
