// Web Locks in memory, as far as they are used: one holder for each name, the others wait in line. A fixture.
import type { LockGiver } from '../../sdk/leader/turn.ts';

interface Asked {
  readonly page: string;
  readonly grant: () => void;
}

export class FakeLocks {
  readonly #lines = new Map<string, Asked[]>();
  readonly #thieves = new Map<string, () => void>();
  /** From now on asking fails at once. */
  isBroken = false;

  /** The locks as `page` has them. */
  of(page: string): LockGiver {
    return {
      request: (name, { signal }, granted) =>
        new Promise((resolve, reject) => {
          if (this.isBroken) return reject(new DOMException('The document is not fully active', 'InvalidStateError'));
          const line = this.#lines.get(name) ?? [];
          this.#lines.set(name, line);
          const leave = (): void => {
            const place = line.indexOf(asked);
            if (place < 0) return;
            line.splice(place, 1);
            if (place === 0) line[0]?.grant();
          };
          const onAbort = (): void => {
            leave();
            reject(signal.reason);
          };
          const asked: Asked = {
            page,
            grant: () =>
              queueMicrotask(() => {
                signal.removeEventListener('abort', onAbort);
                if (!line.includes(asked)) return;
                this.#thieves.set(name, () => {
                  leave();
                  reject(new DOMException('Lock stolen', 'AbortError'));
                });
                granted().then((value) => {
                  leave();
                  resolve(value);
                }, reject);
              }),
          };
          signal.addEventListener('abort', onAbort, { once: true });
          line.push(asked);
          if (line.length === 1) asked.grant();
        }),
    };
  }

  /** Who stands in line, the holder first. */
  line(name: string): readonly string[] {
    return (this.#lines.get(name) ?? []).map(({ page }) => page);
  }

  /** What a page with `steal` does to the holder. */
  steal(name: string): void {
    this.#thieves.get(name)?.();
  }

  /** The page is gone, with all it had. */
  crash(page: string): void {
    for (const line of this.#lines.values()) {
      const held = line[0]?.page === page;
      line.splice(0, line.length, ...line.filter((asked) => asked.page !== page));
      if (held) line[0]?.grant();
    }
  }
}
