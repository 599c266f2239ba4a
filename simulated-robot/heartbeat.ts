// Lets time pass for the robot: real time from the clock, in steps. Knows no bus.
import type { Clock } from '@qiway/protocol/clock';
import type { Robot } from './body/robot.ts';

/** 50 steps a second: smooth driving, no load to speak of. */
const STEP_MS = 20;
/** After a pause of the process (a laptop that slept) the robot does not make up for it. */
const LONGEST_STEP_MS = 500;

/** Returns how to stop. */
export function startHeartbeat(robot: Robot, clock: Clock): () => void {
  let last = clock.now();
  let stop = (): void => undefined;
  const beat = (): void => {
    const now = clock.now();
    const elapsed = now - last;
    last = now;
    stop = clock.after(STEP_MS, beat);
    robot.step(Math.min(elapsed, LONGEST_STEP_MS));
  };
  stop = clock.after(STEP_MS, beat);
  return () => stop();
}
