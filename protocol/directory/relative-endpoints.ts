// Relative endpoints (`qi:Name`): which services are reached wherever a given one is. Layer 4; pure.
// Services are kept in groups of equal endpoints, so that asking for one costs its host and not the whole directory.
import type { ServiceInfo } from '../bus/bus.ts';

/**
 * Names an info lists at most: by the rule the list of n services on one host is n² long. Beyond it only the directory and
 * the service itself are named; a client then reaches the others by asking for them.
 */
export const MAX_RELATIVE_NAMES = 256;

/** Ready services with the same endpoints. */
interface Group {
  readonly key: string;
  /** Absolute, each once, sorted. */
  readonly endpoints: readonly string[];
  /** As relative endpoints, by service id. */
  readonly names: Map<number, string>;
  /** What its members were told while `version` was the table's. */
  told: { readonly version: number; readonly endpoints: readonly string[] } | undefined;
}

export class RelativeEndpoints {
  readonly #directoryId: number;
  readonly #groups = new Map<string, Group>();
  /** Under the first of their endpoints: a group that lies within others' endpoints is found by it. */
  readonly #byFirst = new Map<string, Set<Group>>();
  readonly #groupOf = new Map<number, Group>();

  /** Counts changes. */
  #version = 0;

  constructor(directoryId: number) {
    this.#directoryId = directoryId;
  }

  /** A service is ready, or its endpoints changed. */
  set({ serviceId, name, endpoints }: ServiceInfo): void {
    const own = [...new Set(withoutRelative(endpoints))].sort();
    const key = own.join(' ');
    if (this.#groupOf.get(serviceId)?.key === key) return;
    this.delete(serviceId);
    const group = this.#groups.get(key) ?? this.#open(key, own);
    group.names.set(serviceId, `qi:${name}`);
    this.#groupOf.set(serviceId, group);
    this.#version += 1;
  }

  delete(serviceId: number): void {
    const group = this.#groupOf.get(serviceId);
    if (group === undefined) return;
    this.#groupOf.delete(serviceId);
    group.names.delete(serviceId);
    this.#version += 1;
    if (group.names.size > 0) return;
    this.#groups.delete(group.key);
    const same = this.#byFirst.get(first(group));
    same?.delete(group);
    if (same?.size === 0) this.#byFirst.delete(first(group));
  }

  /**
   * The endpoints of a ready service as told to a client that understands relative ones: `qi:Other` for every ready service
   * all of whose endpoints are among its own; `qi:ServiceDirectory` first, other relative ones, loopback, the rest; sorted
   * within (as libqi). More than MAX_RELATIVE_NAMES are not listed.
   * @param common where this client is told that all services are
   */
  of({ serviceId, endpoints }: ServiceInfo, common?: readonly string[]): readonly string[] {
    if (common !== undefined) {
      const isShort = this.#groupOf.size > MAX_RELATIVE_NAMES;
      const groups = isShort ? [] : [...this.#groups.values()];
      return inOrder([...(isShort ? this.#few(serviceId) : namesOf(groups)), ...withoutRelative(common)]);
    }
    const group = this.#groupOf.get(serviceId);
    if (group?.told?.version === this.#version) return group.told.endpoints;
    const own = withoutRelative(endpoints);
    const groups = this.#within(own);
    const count = groups.reduce((sum, { names }) => sum + names.size, 0);
    if (count > MAX_RELATIVE_NAMES) return inOrder([...this.#few(serviceId, groups), ...own]);
    const told = inOrder([...namesOf(groups), ...own]);
    if (group !== undefined) group.told = { version: this.#version, endpoints: told };
    return told;
  }

  /** The groups all of whose endpoints are among these. */
  #within(endpoints: readonly string[]): Group[] {
    const own = new Set(endpoints);
    return [...own]
      .flatMap((endpoint) => [...(this.#byFirst.get(endpoint) ?? [])])
      .filter((group) => group.endpoints.every((endpoint) => own.has(endpoint)));
  }

  /** The directory and the service itself, if they are in one of the groups. */
  #few(serviceId: number, groups?: readonly Group[]): string[] {
    return [this.#directoryId, serviceId].flatMap((id) => {
      const group = this.#groupOf.get(id);
      return group !== undefined && (groups === undefined || groups.includes(group)) ? (group.names.get(id) ?? []) : [];
    });
  }

  #open(key: string, endpoints: readonly string[]): Group {
    const group: Group = { key, endpoints, names: new Map(), told: undefined };
    this.#groups.set(key, group);
    const same = this.#byFirst.get(first(group));
    if (same === undefined) this.#byFirst.set(first(group), new Set([group]));
    else same.add(group);
    return group;
  }
}

function first({ endpoints }: Group): string {
  return endpoints[0] ?? '';
}

function namesOf(groups: readonly Group[]): string[] {
  return groups.flatMap(({ names }) => [...names.values()]);
}

export function withoutRelative(endpoints: readonly string[]): readonly string[] {
  return endpoints.some(isRelative) ? endpoints.filter((endpoint) => !isRelative(endpoint)) : endpoints;
}

function isRelative(endpoint: string): boolean {
  return endpoint.startsWith('qi:');
}

/** Each once. */
function inOrder(endpoints: readonly string[]): readonly string[] {
  return [...new Set(endpoints)].sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : a > b ? 1 : 0));
}

function rank(endpoint: string): number {
  if (endpoint === 'qi:ServiceDirectory') return 0;
  if (isRelative(endpoint)) return 1;
  return /^[a-z]+:\/\/(127\.|localhost[:/]|\[?::1)/.test(endpoint) ? 2 : 3;
}
