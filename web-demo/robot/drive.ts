// Driving: turns a joystick's place into moveToward calls and makes sure that every drive ends with stopMove.
// Layer: robot (no DOM). One move call is under way at a time and only the newest place is sent, so a slow link
// never builds up a queue of old commands.
import { type ReadonlySignal, signal } from '@preact/signals';
import { isQiwayError } from '@qiway/sdk';
import { watchStanding } from './watch-standing.ts';

/** Parts of the full speed, -1 to 1, on the robot's axes: x ahead, y to its left, theta turning left. */
export interface Steering {
  readonly x: number;
  readonly y: number;
  readonly theta: number;
}

/** What driving needs of ALMotion. */
export interface DriveMotor {
  moveToward(x: number, y: number, theta: number): Promise<unknown>;
  stopMove(): Promise<unknown>;
}

/** Who may drive, and what happens to the robot when this page falls silent; see control.ts. */
export interface DriveControl {
  /** Before the first move of a drive. @throws why it may not begin */
  take(): Promise<void>;
  /** The robot was told to stop, and has heard it; or it was never told to move. */
  ease(): void;
}

export interface DriveOptions {
  /** The motor, or undefined while the robot cannot be reached. */
  readonly motor: () => DriveMotor | undefined;
  /** Without it a drive begins at once. */
  readonly control?: DriveControl;
  /** Asks the robot whether it moves. Without it nobody notices that somebody else stopped it. */
  readonly isMoving?: () => Promise<boolean>;
  /** Told once per drive when the robot refuses, or stands although it was told to move. */
  readonly refused: (error: unknown) => void;
  /** Told when a drive begins, before the first move. */
  readonly begins?: () => void;
  /** Calls back after a while; returns how to prevent it. */
  readonly after: (delayMs: number, run: () => void) => () => void;
}

export interface Drive {
  /** What the robot was told. */
  readonly steering: ReadonlySignal<Steering>;
  /** The hand has to leave the joystick before it counts again: the robot was stopped, or refused. */
  readonly isBlocked: ReadonlySignal<boolean>;
  /** The joystick is here now. */
  steer(steering: Steering): void;
  /** The hand is off the joystick: stops the robot. */
  release(): void;
  /** The page is going: as `release`, if there is anything to stop. */
  leave(): void;
  /** Stops the robot, whether or not this page drives it; a hand still on the joystick has to let go first. True when the command could be sent. */
  halt(): boolean;
  /** Somebody else stopped the robot: as `halt`, since a last move of this page may come after that stop. False: it did not drive. */
  halted(): boolean;
  /** The robot cannot be reached any more: nothing is sent. */
  lost(): void;
  /** The robot can be reached again: stops it if it was last seen driving for this page. */
  found(): void;
}

const STILL: Steering = Object.freeze({ x: 0, y: 0, theta: 0 });

/** 20 commands a second: a hand does not notice more, and a real robot's motion planner takes about 50 ms each. */
const MIN_INTERVAL_MS = 50;
/** A stop that could not be delivered is tried again this often. */
const STOP_AGAIN_MS = 250;

/** `asking`: the hand is on the joystick, and nothing moves before control is taken. `blocked`: halted or refused with a hand on the joystick; moves count again after `release`. */
type Phase = 'idle' | 'asking' | 'driving' | 'blocked';

/** Nothing of it reached the robot. */
function isUndelivered(error: unknown): boolean {
  return isQiwayError(error) && (error.code === 'bus-down' || error.code === 'offline');
}

export function createDrive({ motor, control, refused, begins, isMoving, after }: DriveOptions): Drive {
  const steering = signal(STILL);
  const isBlocked = signal(false);
  let phase: Phase = 'idle';
  let isBusy = false;
  let pending: Steering | undefined;
  let owesStop = false;
  /** Counts moves that were sent. */
  let moves = 0;
  let stopWatching = (): void => undefined;
  /** Counts hands on the joystick: an answer may come when it is another's turn. */
  let turn = 0;

  function become(next: Phase): void {
    phase = next;
    isBlocked.value = next === 'blocked';
    stopWatching();
  }

  function pump(): void {
    const target = motor();
    if (isBusy || pending === undefined || target === undefined) return;
    const { x, y, theta } = pending;
    pending = undefined;
    isBusy = true;
    moves += 1;
    let waits = 2;
    const next = (): void => {
      waits -= 1;
      if (waits > 0) return;
      isBusy = false;
      pump();
    };
    after(MIN_INTERVAL_MS, next);
    target.moveToward(x, y, theta).then(next, (error: unknown) => {
      if (phase === 'driving') {
        become('blocked');
        still();
        refused(error);
      }
      next();
    });
  }

  function send(isAgain = false): boolean {
    const target = motor();
    if (target === undefined) return false;
    target.stopMove().then(
      () => {
        if (phase === 'driving') return;
        owesStop = false;
        if (phase !== 'asking') control?.ease();
      },
      (error: unknown) => {
        if (motor() !== target) return;
        if (!isAgain) refused(error);
        // The motors are not back yet, and the robot may still move.
        if (owesStop && isUndelivered(error)) after(STOP_AGAIN_MS, () => owesStop && phase !== 'driving' && send(true));
      },
    );
    return true;
  }

  function begin(): void {
    become('driving');
    owesStop = true;
    begins?.();
    pump();
    if (isMoving === undefined) return;
    const isTold = (): boolean => !isBusy && Object.values(steering.peek()).some((part) => part !== 0);
    stopWatching = watchStanding({
      isMoving,
      told: () => (isTold() ? moves : undefined),
      stands: () => {
        halt();
        refused(new Error('The robot stands: somebody stopped it, or it rests. Let go of the joystick to try again.'));
      },
      after,
    });
  }

  function ask({ take }: DriveControl): void {
    become('asking');
    turn += 1;
    const mine = turn;
    const isMine = (): boolean => phase === 'asking' && mine === turn;
    take().then(
      () => isMine() && begin(),
      (error: unknown) => {
        if (!isMine()) return;
        become('blocked');
        still();
        refused(error);
      },
    );
  }

  function still(): void {
    pending = undefined;
    steering.value = STILL;
  }

  /** Where nothing moved since the last stop, one more would end the drive of somebody else. */
  function letGo(isStopWanted: boolean): void {
    const wasAsking = phase === 'asking';
    become('idle');
    still();
    if (owesStop || isStopWanted) send();
    else if (wasAsking) control?.ease();
  }

  function halt(): boolean {
    if (phase !== 'idle') become('blocked');
    still();
    return send();
  }

  return {
    steering,
    isBlocked,
    steer(place) {
      if (phase === 'blocked' || motor() === undefined) return;
      steering.value = place;
      pending = place;
      if (phase === 'driving') pump();
      else if (control === undefined) begin();
      else if (phase === 'idle') ask(control);
    },
    release() {
      letGo(phase === 'idle');
    },
    leave() {
      letGo(false);
    },
    halt,
    halted() {
      const isDriven = phase === 'driving' || phase === 'asking';
      if (isDriven || owesStop) halt();
      return isDriven;
    },
    lost() {
      if (phase !== 'idle') become('blocked');
      still();
    },
    found() {
      if (owesStop) send();
    },
  };
}

/** Where the joystick is (right and up, -1 to 1) as steering: `turn` turns on the spot, `sidestep` walks sideways. */
export function steeringOf(
  right: number,
  up: number,
  { sideways, limit }: { sideways: boolean; limit: number },
): Steering {
  const dead = (value: number): number => (Math.abs(value) < 0.08 ? 0 : Math.max(-1, Math.min(1, value)) * limit);
  const side = 0 - dead(right);
  return { x: dead(up), y: sideways ? side || 0 : 0, theta: sideways ? 0 : side || 0 };
}

/** Steering as words, for people who do not see the joystick. */
export function describeSteering({ x, y, theta }: Steering): string {
  const percent = (value: number): string => `${Math.round(Math.abs(value) * 100)} %`;
  const words = [
    x !== 0 ? `${x > 0 ? 'ahead' : 'back'} ${percent(x)}` : '',
    y !== 0 ? `${y > 0 ? 'left' : 'right'} ${percent(y)}` : '',
    theta !== 0 ? `turning ${theta > 0 ? 'left' : 'right'} ${percent(theta)}` : '',
  ].filter((word) => word !== '');
  const text = words.join(', ');
  return text === '' ? 'Standing still' : text.charAt(0).toUpperCase() + text.slice(1);
}
