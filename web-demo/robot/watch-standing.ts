// Notices that the robot stands although it was told to move: somebody else stopped it, or it rests. Layer: robot; no DOM.

export interface StandingOptions {
  /** Asks the robot. */
  readonly isMoving: () => Promise<boolean>;
  /** The number of the move that it obeys now; undefined: it was told to stand, or a move is on its way. */
  readonly told: () => number | undefined;
  /** Called once; then nothing is asked any more. */
  readonly stands: () => void;
  /** Calls back after a while; returns how to prevent it. */
  readonly after: (delayMs: number, run: () => void) => () => void;
}

/** A person sees within a second that what is shown is not so. */
const ASK_MS = 300;
/** One that has just been told to move may not have begun. */
const ANSWERS = 2;

/** Returns how to stop. */
export function watchStanding({ isMoving, told, stands, after }: StandingOptions): () => void {
  let isOver = false;
  let seen = told();
  let count = 0;
  let stopTimer = (): void => undefined;
  const again = (): void => {
    if (!isOver) stopTimer = after(ASK_MS, look);
  };
  const look = (): void => {
    const now = told();
    if (now !== seen) count = 0;
    seen = now;
    if (now === undefined) return again();
    isMoving().then((moves) => {
      count = moves || told() !== now ? 0 : count + 1;
      if (count < ANSWERS) return again();
      if (!isOver) stands();
      isOver = true;
      return undefined;
    }, again);
    return undefined;
  };
  again();
  return () => {
    isOver = true;
    stopTimer();
  };
}
