// One robot at its owner: the session, and the tabs that use it. Opened by the first, closed when the last has gone.
import type { Clock } from '@qiway/protocol/clock';
import { overLimit, type QiwayError } from '@qiway/protocol/errors';
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
  /** The same for the port of a leader tab. */
  lead(port: MessagePort): void;
  /** The app ends it in order; `end` follows when what it said last has come. */
  goodbye(): void;
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
  stopLeading?: () => void;
  stopWatching: () => void;
  readonly tell: (snapshot: Snapshot) => void;
}

/** A page that is loaded again finds its session; a robot that nobody looks at is not held for long. */
const LINGER_MS = 10_000;
/** Longer than any tab needs to attach; frozen ones are let go of as well, and come back. */
const APART_MS = 60_000;
/** More than a person has tabs. */
const MAX_USES = 1024;

export class OwnedRobot {
  readonly #options: OwnedRobotOptions;
  readonly #opening: Promise<OpenedRobot>;
  readonly #uses = new Set<Use>();
  #owned: OpenedRobot | undefined;
  #stopLingering: () => void = () => {};
  #isTelling = false;
  #told = 0;
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

  /** @throws why no session could be opened; `limit-exceeded` */
  async use(tell: (snapshot: Snapshot) => void): Promise<RobotUse> {
    if (this.#uses.size >= MAX_USES)
      throw overLimit('More tabs and robots of this origin use the robot than may; close some.', {
        limit: 'tabs',
        maximum: MAX_USES,
      });
    const use: Use = { door: undefined, beatMs: undefined, tell, stopWatching: () => {} };
    this.#stopLingering();
    this.#uses.add(use);
    let owned: OpenedRobot;
    try {
      owned = await this.#opening;
    } catch (error) {
      this.#uses.delete(use);
      throw error;
    }
    this.#watch(use);
    const snapshot = (): Snapshot => this.#snapshot(owned);
    return {
      get snapshot() {
        return snapshot();
      },
      attach: (transport) => this.#attach(use, owned, transport),
      probe: () => owned.probe(),
      queue: (ports) => {
        use.endQueue?.();
        use.endQueue = owned.serveQueue(ports);
      },
      lead: (port) => {
        use.stopLeading?.();
        use.stopLeading = owned.lead(port);
      },
      goodbye: () => use.door?.goodbye(),
      end: (isWanted) => this.#end(use, isWanted),
    };
  }

  #attach(use: Use, owned: OpenedRobot, transport: Transport): Snapshot | undefined {
    if (this.#isClosed || !this.#uses.has(use)) {
      transport.close(1000, 'the robot was closed');
      return undefined;
    }
    use.door?.end({ isWanted: false });
    use.stopWatching();
    const door = owned.openDoor(transport, {
      onBeat: (everyMs) => {
        use.beatMs = everyMs;
        this.#beat();
      },
      onEnded: () => {
        if (use.door !== door) return;
        use.door = undefined;
        this.#watch(use);
      },
    });
    use.door = door;
    return this.#snapshot(owned);
  }

  /** A tab without a door is known to be there by nothing, where there are no locks: one that has been apart for long opens anew. */
  #watch(use: Use): void {
    if (!this.#uses.has(use)) return;
    use.stopWatching = this.#options.clock.after(APART_MS, () => {
      // While there is no link there is nothing to attach to.
      if (this.#owned?.session.sessionState === 'online') this.#end(use, false);
      else this.#watch(use);
    });
  }

  #end(use: Use, isWanted: boolean): void {
    if (!this.#uses.delete(use)) return;
    this.#letGo(use, isWanted);
    this.#beat();
    if (this.#uses.size > 0) return;
    if (isWanted) this.#close();
    else this.#stopLingering = this.#options.clock.after(LINGER_MS, () => this.#uses.size === 0 && this.#close());
  }

  #letGo(use: Use, isWanted: boolean): void {
    use.stopWatching();
    use.door?.end({ isWanted });
    use.endQueue?.();
    use.stopLeading?.();
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
    const uses = [...this.#uses];
    this.#uses.clear();
    for (const use of uses) this.#letGo(use, false);
    this.#close();
  }

  #snapshot({ session }: OpenedRobot): Snapshot {
    this.#told += 1;
    return snapshotOf(session, this.#told);
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
    const snapshot = this.#snapshot(this.#owned);
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
