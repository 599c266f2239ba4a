// One robot at its owner: the session, and the tabs that use it. Opened by the first, closed when the last has gone.
import type { Clock } from '@qiway/protocol/clock';
import type { QiwayError } from '@qiway/protocol/errors';
import type { Transport } from '@qiway/protocol/session/transport';
import type { TabQueuePorts } from '../offline/owned-queue.ts';
import type { OpenedRobot } from './open-robot.ts';
import { type Snapshot, snapshotOf } from './owner-port.ts';
import type { TabDoor } from './tab-door.ts';

/** One tab's use of a robot. */
export interface RobotUse {
  readonly snapshot: Snapshot;
  /** Ends the attachment that was there; undefined: the robot is closed. */
  attach(transport: Transport): Snapshot | undefined;
  probe(): void;
  /** Takes the ports over for as long as the use lasts. */
  queue(ports: TabQueuePorts): void;
  /** `isWanted`: by the app, in order. Idempotent. */
  end(isWanted: boolean): void;
}

export interface OwnedRobotOptions {
  readonly open: () => Promise<OpenedRobot>;
  readonly clock: Clock;
  /** Nobody uses it any more, or it ended. */
  readonly onClosed: () => void;
}

interface Use {
  door: TabDoor | undefined;
  /** Signs of life that its failsafes and leases need. */
  beatMs: number | undefined;
  endQueue?: () => void;
  readonly tell: (snapshot: Snapshot) => void;
}

/** A page that is loaded again finds its session; a robot that nobody looks at is not held for long. */
const LINGER_MS = 10_000;

export class OwnedRobot {
  readonly #options: OwnedRobotOptions;
  readonly #opening: Promise<OpenedRobot>;
  readonly #uses = new Set<Use>();
  #owned: OpenedRobot | undefined;
  #stopLingering: () => void = () => {};
  #isTelling = false;
  #isClosed = false;

  constructor(options: OwnedRobotOptions) {
    this.#options = options;
    this.#opening = options.open();
    this.#opening.then(
      (owned) => this.#opened(owned),
      () => this.#close(),
    );
  }

  get owned(): OpenedRobot | undefined {
    return this.#owned;
  }

  /** @throws why no session could be opened */
  async use(tell: (snapshot: Snapshot) => void): Promise<RobotUse> {
    const use: Use = { door: undefined, beatMs: undefined, tell };
    this.#stopLingering();
    this.#uses.add(use);
    let owned: OpenedRobot;
    try {
      owned = await this.#opening;
    } catch (error) {
      this.#uses.delete(use);
      throw error;
    }
    const { session } = owned;
    const { clock } = this.#options;
    return {
      get snapshot() {
        return snapshotOf(session);
      },
      attach: (transport) => {
        if (this.#isClosed || !this.#uses.has(use)) {
          transport.close(1000, 'the robot was closed');
          return undefined;
        }
        use.door?.end({ isWanted: false });
        const door = owned.openDoor(transport, {
          onBeat: (everyMs) => {
            use.beatMs = everyMs;
            this.#beat();
          },
          onEnded: () => {
            if (use.door === door) use.door = undefined;
          },
        });
        use.door = door;
        return snapshotOf(session);
      },
      probe: () => owned.probe(),
      queue: (ports) => {
        use.endQueue?.();
        use.endQueue = owned.serveQueue(ports);
      },
      end: (isWanted) => {
        if (!this.#uses.delete(use)) return;
        use.door?.end({ isWanted });
        use.endQueue?.();
        this.#beat();
        if (this.#uses.size > 0) return;
        if (isWanted) this.#close();
        else this.#stopLingering = clock.after(LINGER_MS, () => this.#uses.size === 0 && this.#close());
      },
    };
  }

  #opened(owned: OpenedRobot): void {
    this.#owned = owned;
    const { session } = owned;
    session.listenSession({
      rttMeasured: () => this.#tell(),
      changed: () => this.#tell(),
      // It knows nothing of what tabs had in the one before: they attach again.
      renewed: () => {
        for (const { door } of [...this.#uses]) door?.end({ isWanted: false });
      },
    });
    void session.closed.then((reason) => this.#ended(reason));
    if (this.#isClosed) void session.close();
  }

  #ended(_reason: QiwayError | undefined): void {
    this.#tellNow();
    for (const use of [...this.#uses]) use.door?.end({ isWanted: false });
    this.#uses.clear();
    this.#close();
  }

  /** As often as the tab needs that needs it most. */
  #beat(): void {
    const beats = [...this.#uses].map(({ beatMs }) => beatMs).filter((beatMs) => beatMs !== undefined);
    this.#owned?.session.setBeat(beats.length === 0 ? undefined : Math.min(...beats));
  }

  /** Once for all that happens in a turn. */
  #tell(): void {
    if (this.#isTelling) return;
    this.#isTelling = true;
    queueMicrotask(() => this.#tellNow());
  }

  #tellNow(): void {
    this.#isTelling = false;
    if (this.#owned === undefined) return;
    const snapshot = snapshotOf(this.#owned.session);
    for (const { tell } of [...this.#uses]) tell(snapshot);
  }

  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#stopLingering();
    void this.#owned?.session.close();
    this.#options.onClosed();
  }
}
