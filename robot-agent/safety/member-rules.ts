// What this agent knows of the members of services: the rules for NAOqi and those of its configuration.
import {
  type ClassRule,
  type ClassTable,
  createClassTable,
  patternTest,
  type ToldRule,
} from '@qiway/protocol/member-class';
import { ASKING_MEMBERS, NAOQI_RULES, STOPPING_MEMBERS } from './naoqi-classes.ts';

export interface MemberRules extends ClassTable {
  /** As clients are told them. */
  readonly told: readonly ToldRule[];
  /** It ends a movement. */
  isStopping(service: string, member: string): boolean;
  /** It ends a movement, or only asks. */
  isHarmless(service: string, member: string): boolean;
}

/** @param configured in place of the known rules of the same pattern */
export function createMemberRules(configured: readonly ClassRule[] = []): MemberRules {
  const replaced = new Set(configured.map(({ pattern }) => pattern));
  const rules = [...NAOQI_RULES.filter(({ pattern }) => !replaced.has(pattern)), ...configured];
  const told = rules.map(({ pattern, memberClass }): ToldRule => [pattern, memberClass]);
  const stopping = anyOf(STOPPING_MEMBERS);
  const asking = anyOf(ASKING_MEMBERS);
  const isStopping = (service: string, member: string): boolean => stopping(`${service}.${member}`);
  const { classOf } = createClassTable(told);
  return {
    told,
    classOf,
    isStopping,
    isHarmless: (service, member) => isStopping(service, member) || asking(`${service}.${member}`),
  };
}

function anyOf(patterns: readonly string[]): (name: string) => boolean {
  const tests = patterns.map(patternTest);
  return (name) => tests.some((fits) => fits(name));
}
