// Listens to what the agent announces, and asks the session to move when there is a better way. Knows no sockets.
import type { Clock } from '@qiway/protocol/clock';
import type { ClientSession } from '@qiway/protocol/session/client-session';
import type { Dialer } from './dialer.ts';

/** A new address of IPv6 answers only after a second (RFC 4862), a new interface may take some. */
const AGAIN_MS: readonly number[] = [1000, 3000, 10_000];

export interface BetterWayOptions {
  readonly session: Pick<ClientSession, 'listenSession' | 'told' | 'moveTo'>;
  readonly dialer: Pick<Dialer, 'announced' | 'current'>;
  readonly clock: Clock;
}

/** Returns how to stop. */
export function followBetterWay({ session, dialer, clock }: BetterWayOptions): () => void {
  let seen: readonly string[] | undefined;
  let stopTimer = (): void => {};
  /** Moves now, and again while the link stays where it was. */
  const move = (from: string | undefined, tries: number): void => {
    session.moveTo();
    const delayMs = AGAIN_MS[tries];
    if (delayMs === undefined) return;
    stopTimer = clock.after(delayMs, () => {
      if (dialer.current === from) move(from, tries + 1);
    });
  };
  const look = (): void => {
    const { addresses } = session.told;
    if (addresses === undefined || isSame(addresses, seen)) return;
    seen = addresses;
    const way = dialer.announced(addresses);
    stopTimer();
    if (way !== 'none') move(dialer.current, 0);
  };
  const stopListening = session.listenSession({ changed: look });
  look();
  return () => {
    stopTimer();
    stopListening();
  };
}

function isSame(left: readonly string[], right: readonly string[] | undefined): boolean {
  return right !== undefined && left.length === right.length && left.every((url, index) => url === right[index]);
}
