// The battery: drains with what the robot does, charges on the dock. Time comes in by step().
import { createNotices, type Notices } from './notices.ts';

/** Percent per second: an hour of rest, a quarter of an hour of driving; a full charge in five minutes, so that one sees it. */
const IDLE_DRAIN = 100 / 3600;
const DRIVE_DRAIN = 100 / 900;
const SPEECH_DRAIN = 100 / 3000;
const CHARGE = 100 / 300;
/** The simulated battery never goes below this: nobody could carry the robot to its dock. */
const FLOOR = 1;
/** At this charge the robot warns and drives slowly. */
const LOW_CHARGE = 10;

/** What uses power now. */
export interface Load {
  readonly isDriving: boolean;
  readonly isSpeaking: boolean;
  readonly isOnDock: boolean;
}

export class Battery {
  /** Whole percents, each time they change. */
  readonly chargeChanged: Notices<number> = createNotices();
  readonly pluggedChanged: Notices<boolean> = createNotices();
  #charge: number;
  #isPlugged = false;

  /** @param charge percent */
  constructor(charge: number) {
    this.#charge = charge;
  }

  /** Whole percents, 1 to 100. */
  get charge(): number {
    return Math.round(this.#charge);
  }

  get isPlugged(): boolean {
    return this.#isPlugged;
  }

  get isLow(): boolean {
    return this.charge <= LOW_CHARGE;
  }

  step(seconds: number, load: Load): void {
    const before = this.charge;
    const drain = IDLE_DRAIN + (load.isDriving ? DRIVE_DRAIN : 0) + (load.isSpeaking ? SPEECH_DRAIN : 0);
    const rate = load.isOnDock ? CHARGE : -drain;
    this.#charge = Math.min(100, Math.max(FLOOR, this.#charge + rate * seconds));
    if (load.isOnDock !== this.#isPlugged) {
      this.#isPlugged = load.isOnDock;
      this.pluggedChanged.tell(load.isOnDock);
    }
    if (this.charge !== before) this.chargeChanged.tell(this.charge);
  }
}
