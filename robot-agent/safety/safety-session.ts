// What safety needs of an agent's session, and when it counts as silent. Knows no links: silence is what nobody heard.
import type { Clock } from '@qiway/protocol/clock';
import type { QiwayError } from '@qiway/protocol/errors';

export interface SafetySession {
  readonly id: string;
  /** Id of the client's identity. */
  readonly clientId: string;
  /** What the client calls itself. */
  readonly client: string;
  /** When something last came from it, on the agent's clock. */
  readonly lastHeardMs: number;
  /** What comes now was sent before a silence. */
  readonly isStale: boolean;
  /** `closed` without an error: the client said goodbye. */
  listen(listener: { heard?(): void; closed?(error: QiwayError | undefined): void }): () => void;
}

/** For people, in refusals and lists. Ids are shortened: enough to tell two tablets apart. */
export function inWords({ client, clientId }: SafetySession): string {
  return `${client === '' ? 'a client' : client} (${clientId.slice(0, 6)})`;
}

export interface SilenceOptions {
  readonly clock: Clock;
  readonly afterMs: number;
  /** Nothing came for `afterMs`. Once for each silence. */
  readonly silent: () => void;
  /** Something came again after that. */
  readonly heardAgain?: () => void;
  /** This process was held up itself for `afterMs`: nobody watched, and what came meanwhile was not obeyed in time. Also silence. */
  readonly isStallSilence?: boolean;
}

/** A timer that is later than this was held up by this process itself, and what came meanwhile is not read yet. */
const HELD_UP_MS = 20;

/** Watches until the function that is returned is called. Costs a timer, and nothing for what comes. */
export function watchSilence(
  session: Pick<SafetySession, 'lastHeardMs' | 'listen'>,
  { clock, afterMs, silent, heardAgain, isStallSilence = false }: SilenceOptions,
): () => void {
  let stop = (): void => {};
  const lookIn = (delayMs: number, isLastLook = false): void => {
    const dueMs = clock.now() + delayMs;
    stop = clock.after(delayMs, () => {
      const nowMs = clock.now();
      const lateMs = nowMs - dueMs;
      if (!isStallSilence || lateMs <= afterMs) {
        const leftMs = session.lastHeardMs + afterMs - nowMs;
        if (leftMs > 0) return lookIn(leftMs);
        if (!isLastLook && lateMs > HELD_UP_MS) return lookIn(1, true);
      }
      stop = session.listen({
        heard: () => {
          stop();
          lookIn(afterMs);
          heardAgain?.();
        },
      });
      silent();
    });
  };
  lookIn(Math.max(0, session.lastHeardMs + afterMs - clock.now()));
  return () => stop();
}
