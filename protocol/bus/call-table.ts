// Calls under way on one peer, in one direction: by id, and by the service they are on, so that a service that leaves
// costs what it has under way and not what all others have. Layer 2.
// Those of one service are a chain through the calls themselves: every call passes here, and a second map would cost each
// as much as all the rest of its way through the peer.

interface Before {
  after: TableCall | undefined;
}

/** `before` and `after` are the table's own: the neighbours on the same service. */
export interface TableCall extends Before {
  readonly id: number;
  readonly service: number;
  before: Before | undefined;
}

export class CallTable<T extends TableCall> {
  readonly #byId = new Map<number, T>();
  /** Where the chain of each service begins; the newest call comes first. */
  readonly #byService = new Map<number, Before>();

  get size(): number {
    return this.#byId.size;
  }

  get(id: number): T | undefined {
    return this.#byId.get(id);
  }

  has(id: number): boolean {
    return this.#byId.has(id);
  }

  /** The id must be free. */
  add(call: T): void {
    this.#byId.set(call.id, call);
    let begin = this.#byService.get(call.service);
    if (begin === undefined) {
      // Kept when its chain is empty: most services are called again. `leaving` forgets it.
      begin = { after: undefined };
      this.#byService.set(call.service, begin);
    }
    call.before = begin;
    call.after = begin.after;
    if (call.after !== undefined) call.after.before = call;
    begin.after = call;
  }

  delete(id: number): T | undefined {
    const call = this.#byId.get(id);
    if (call === undefined) return undefined;
    this.#byId.delete(id);
    const { before, after } = call;
    if (before !== undefined) before.after = after;
    if (after !== undefined) after.before = before;
    call.before = undefined;
    call.after = undefined;
    return call;
  }

  /**
   * The calls on a service that leaves, or all there are, the oldest first. Each stays until it is deleted; the service is
   * not asked for again.
   */
  leaving(service?: number): T[] {
    if (service === undefined) return [...this.#byId.values()];
    const calls: T[] = [];
    let next = this.#byService.get(service)?.after;
    this.#byService.delete(service);
    for (; next !== undefined; next = next.after) calls.push(next as T);
    return calls.reverse();
  }
}
