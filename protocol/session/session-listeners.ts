// Who is told what becomes of a client's session. Layer 5.
import type { SessionListener } from './client-session-types.ts';

export class SessionListeners {
  readonly #listeners = new Set<SessionListener>();

  /** Returns how to stop. */
  add(listener: SessionListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  rttMeasured(rttMs: number): void {
    for (const listener of [...this.#listeners]) listener.rttMeasured?.(rttMs);
  }

  changed(): void {
    for (const listener of [...this.#listeners]) listener.changed?.();
  }

  robotBusChanged(state: 'up' | 'down'): void {
    for (const listener of [...this.#listeners]) listener.robotBusChanged?.(state);
  }

  renewed(): void {
    for (const listener of [...this.#listeners]) listener.renewed?.();
  }
}
