// Who owns the links of all tabs of an origin: robots by who they are, tabs by what they use. Runs in the SharedWorker; it
// knows no worker: ports and locks are handed in.
import type { Clock } from '@qiway/protocol/clock';
import { asQiwayError, overLimit, QiwayError } from '@qiway/protocol/errors';
import { messagePortTransport, type PlatformPort, PORT_HIGH_WATER_BYTES } from '@qiway/protocol/transport/message-port';
import type { OfferRefusal } from '../gateway/gateway-messages.ts';
import type { TabQueuePorts } from '../offline/owned-queue.ts';
import type { OpenedRobot } from './open-robot.ts';
import { OwnedRobot, type RobotUse } from './owned-robot.ts';
import {
  type Outcome,
  OWNER_PROTOCOL,
  type OwnerGreeting,
  type OwnerPort,
  type OwnerRequest,
  type RobotKey,
  recordOf,
  type Snapshot,
} from './owner-port.ts';

export interface OwnerOptions {
  readonly clock: Clock;
  readonly open: (request: OwnerRequest) => Promise<OpenedRobot>;
  /** The Web Lock that this owner holds; undefined where there are none. */
  readonly lock: Promise<string | undefined>;
  /** Calls `run` when nobody holds the lock any more. Absent where there are no locks. */
  readonly whenFree?: (lock: string, run: () => void) => void;
}

/** Between two ports of a tab there is no order. */
const LAST_WORDS_MS = 50;
/** A page shows a robot or two; each is a link, and the owner has them for all tabs. */
const MAX_ROBOTS = 64;

export class Owner {
  readonly #options: OwnerOptions;
  readonly #robots = new Map<string, OwnedRobot>();
  /** The one that was opened last. */
  #newest: OwnedRobot | undefined;

  constructor(options: OwnerOptions) {
    this.#options = options;
  }

  /** For the gateway: whom a request that names no robot is for. */
  get newest(): OwnedRobot | undefined {
    return this.#newest;
  }

  /** What one tab is given. */
  tab(): OwnerPort {
    return new Tab(this, this.#options);
  }

  /** The robot that the request means, opened if it is not. @throws `limit-exceeded` */
  robot(request: OwnerRequest): OwnedRobot {
    const { agent, token } = request;
    const key = `${agent.robot ?? agent.link} ${token}`;
    const known = this.#robots.get(key);
    if (known !== undefined) return known;
    if (this.#robots.size >= MAX_ROBOTS)
      throw overLimit('The pages of this origin have more robots open than they may; close one first.', {
        limit: 'robots',
        maximum: MAX_ROBOTS,
      });
    const { clock, open } = this.#options;
    const robot = new OwnedRobot({
      clock,
      open: () => open(request),
      onClosed: () => {
        if (this.#robots.get(key) === robot) this.#robots.delete(key);
        if (this.#newest === robot) this.#newest = [...this.#robots.values()].at(-1);
      },
    });
    this.#robots.set(key, robot);
    this.#newest = robot;
    return robot;
  }
}

class Tab implements OwnerPort {
  readonly #owner: Owner;
  readonly #options: OwnerOptions;
  readonly #uses = new Map<RobotKey, RobotUse>();
  #nextKey = 1;
  #isGone = false;

  constructor(owner: Owner, options: OwnerOptions) {
    this.#owner = owner;
    this.#options = options;
  }

  async hello({ protocol, lock }: OwnerGreeting): Promise<OwnerGreeting> {
    const own = await this.#options.lock;
    if (lock !== undefined && protocol === OWNER_PROTOCOL) this.#options.whenFree?.(lock, () => this.leave());
    return { protocol: OWNER_PROTOCOL, ...(own !== undefined && { lock: own }) };
  }

  async open(
    request: OwnerRequest,
    news: Pick<MessagePort, 'postMessage'>,
  ): Promise<Outcome<{ readonly key: RobotKey; readonly snapshot: Snapshot }>> {
    try {
      const use = await this.#owner.robot(request).use((snapshot) => news.postMessage(snapshot));
      if (this.#isGone) {
        use.end(false);
        throw new QiwayError('closed', 'The page is gone.');
      }
      const key = String(this.#nextKey++);
      this.#uses.set(key, use);
      return { value: { key, snapshot: use.snapshot } };
    } catch (error) {
      return { error: recordOf(asQiwayError(error)) };
    }
  }

  attach(key: RobotKey, port: PlatformPort): Snapshot | undefined {
    const transport = messagePortTransport(port, { highWaterBytes: PORT_HIGH_WATER_BYTES });
    const use = this.#uses.get(key);
    if (use === undefined) {
      transport.close(1000, 'the robot was closed');
      return undefined;
    }
    return use.attach(transport);
  }

  queue(key: RobotKey, ports: TabQueuePorts): void {
    this.#uses.get(key)?.queue(ports);
  }

  answer(port: MessagePort): void {
    const owned = this.#owner.newest?.owned;
    if (owned !== undefined) return owned.answer(port);
    port.postMessage({ kind: 'none' } satisfies OfferRefusal);
    port.close();
  }

  lead(key: RobotKey, port: MessagePort): void {
    const use = this.#uses.get(key);
    if (use === undefined) port.close();
    else use.lead(port);
  }

  probe(key: RobotKey): void {
    this.#uses.get(key)?.probe();
  }

  close(key: RobotKey): void {
    const use = this.#uses.get(key);
    this.#uses.delete(key);
    use?.goodbye();
    this.#options.clock.after(LAST_WORDS_MS, () => use?.end(true));
  }

  leave(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    // What the tab said last, over the port of its attachment, may come after this word.
    this.#options.clock.after(LAST_WORDS_MS, () => {
      for (const use of this.#uses.values()) use.end(false);
      this.#uses.clear();
    });
  }
}
