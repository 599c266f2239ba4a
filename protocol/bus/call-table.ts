// Calls under way on one peer, in one direction: by id, and by the service they are on, so that a service that leaves
// costs what it has under way and not what all others have. Layer 2.

interface TableCall {
  readonly id: number;
  readonly service: number;
}

export class CallTable<T extends TableCall> {
  readonly #byId = new Map<number, T>();
  readonly #byService = new Map<number, Map<number, T>>();

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
    const same = this.#byService.get(call.service);
    // Kept when it gets empty: most services are called again. `leaving` forgets it.
    if (same === undefined) this.#byService.set(call.service, new Map([[call.id, call]]));
    else same.set(call.id, call);
  }

  delete(id: number): T | undefined {
    const call = this.#byId.get(id);
    if (call === undefined) return undefined;
    this.#byId.delete(id);
    this.#byService.get(call.service)?.delete(id);
    return call;
  }

  /**
   * The calls on a service that leaves, or all there are. Each stays until it is deleted; the service is not asked for
   * again.
   */
  leaving(service?: number): T[] {
    if (service === undefined) return [...this.#byId.values()];
    const calls = [...(this.#byService.get(service)?.values() ?? [])];
    this.#byService.delete(service);
    return calls;
  }
}
