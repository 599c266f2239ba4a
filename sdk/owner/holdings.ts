// What a tab has taken at the agent and would leave there: services, failsafes, leases, by their kind and id. Knows none of them.

export interface Holding {
  /** It is taken back already, or ends. */
  readonly forget: () => void;
  /** The tab is gone and cannot take it back. */
  readonly end: (isWanted: boolean) => void;
}

export class Holdings {
  readonly #held = new Map<string, Holding>();

  add(kind: string, id: number, holding: Holding): void {
    this.forget(kind, id);
    this.#held.set(`${kind} ${id}`, holding);
  }

  has(kind: string, id: number): boolean {
    return this.#held.has(`${kind} ${id}`);
  }

  forget(kind: string, id: number): void {
    const key = `${kind} ${id}`;
    this.#held.get(key)?.forget();
    this.#held.delete(key);
  }

  endAll(isWanted: boolean): void {
    for (const [key, { forget, end }] of [...this.#held]) {
      this.#held.delete(key);
      end(isWanted);
      forget();
    }
  }
}
