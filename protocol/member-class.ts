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

/** Answers from a fixed set of rules. */
export interface ClassTable {
  /** Of the most exact rule that fits; undefined: nobody said. */
  classOf(service: string, member: string): MemberClass | undefined;
}

/** From the least strict. */
const STRICTNESS: Readonly<Record<MemberClass, number>> = { idempotent: 0, once: 1, motion: 2 };
const RULE = /^([\w*-]+\.[\w*-]+)=(\w+)$/;
/** Names come from the bus, and a service may invent members: then the answers are looked up anew. */
const MAX_REMEMBERED = 4096;

/** Of `PATTERN=CLASS`; undefined when it is none. */
export function readClassRule(text: string): ClassRule | undefined {
  const [, pattern, memberClass] = RULE.exec(text) ?? [];
  if (pattern === undefined || !Object.hasOwn(STRICTNESS, memberClass as string)) return undefined;
  return { pattern, memberClass: memberClass as MemberClass };
}

/**
 * The rule with the most characters other than `*` wins; among equals the strictest, so that the order of rules means nothing.
 * Rules of a class that is not known (a newer agent's) are taken for `motion`.
 */
export function createClassTable(rules: Iterable<ToldRule>): ClassTable {
  const ranked = [...rules]
    .map(([pattern, told]) => ({
      fits: patternTest(pattern),
      memberClass: Object.hasOwn(STRICTNESS, told) ? told : 'motion',
      exactness: pattern.replaceAll('*', '').length,
    }))
    .sort(
      (one, other) => other.exactness - one.exactness || STRICTNESS[other.memberClass] - STRICTNESS[one.memberClass],
    );
  const remembered = new Map<string, MemberClass | undefined>();
  return {
    classOf(service, member) {
      const name = `${service}.${member}`;
      const known = remembered.get(name);
      if (known !== undefined || remembered.has(name)) return known;
      const found = ranked.find(({ fits }) => fits(name))?.memberClass;
      if (remembered.size >= MAX_REMEMBERED) remembered.clear();
      remembered.set(name, found);
      return found;
    },
  };
}

/** Does a name `Service.member` fit a pattern? Takes time in proportion to the name, whatever the pattern. */
export function patternTest(pattern: string): (name: string) => boolean {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return (name) => name === pattern;
  return (name) => {
    if (name.length < first.length + last.length || !name.startsWith(first) || !name.endsWith(last)) return false;
    let at = first.length;
    const end = name.length - last.length;
    for (const part of rest) {
      const found = name.indexOf(part, at);
      if (found < 0 || found + part.length > end) return false;
      at = found + part.length;
    }
    return true;
  };
}
