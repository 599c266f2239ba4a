// A table keyed by (service, object), the address of an object on one qi peer. Layer 2.

/** Two nested maps: no key strings, no numbers beyond 2^53. */
export class AddressTable<T> {
  readonly #services = new Map<number, Map<number, T>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(service: number, object: number): T | undefined {
    return this.#services.get(service)?.get(object);
  }

  set(service: number, object: number, entry: T): void {
    let objects = this.#services.get(service);
    if (objects === undefined) {
      objects = new Map();
      this.#services.set(service, objects);
    }
    if (!objects.has(object)) this.#size += 1;
    objects.set(object, entry);
  }

  delete(service: number, object: number): T | undefined {
    const objects = this.#services.get(service);
    const entry = objects?.get(object);
    if (objects === undefined || entry === undefined) return undefined;
    objects.delete(object);
    if (objects.size === 0) this.#services.delete(service);
    this.#size -= 1;
    return entry;
  }

  /** Everything under one service, or everything. A copy: entries may be deleted meanwhile. */
  entries(service?: number): T[] {
    const maps =
      service === undefined ? [...this.#services.values()] : [this.#services.get(service) ?? new Map<number, T>()];
    return maps.flatMap((objects) => [...objects.values()]);
  }
}
