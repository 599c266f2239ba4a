// A tab's line to the owner of its link, made anew when it ended, and what goes over it beside the attachment: the offline
// queue, and the ways that a leader tab lends. Knows no session.
import type { OpenedQueue } from '../offline/open-queue.ts';
import type { QueueOpener } from '../offline/robot-queue.ts';
import type { TabQueue } from '../offline/tab-queue.ts';
import { onceLoaded } from '../once-loaded.ts';
import type { Snapshot } from '../owner/owner-port.ts';
import { type FollowOwner, OwnerFollowers } from './owner-followers.ts';
import { RobotLine } from './robot-line.ts';
import type { TabSessionRequest } from './tab-state.ts';

const loadQueue = onceLoaded('keeps calls that wait', () => import('../offline/tab-queue.ts'));

export interface OwnerSideOptions {
  readonly request: TabSessionRequest;
  /** Of the line of now. */
  readonly onNews: (snapshot: Snapshot) => void;
  readonly onGone: () => void;
}

export class OwnerSide {
  readonly #options: OwnerSideOptions;
  readonly #followers = new OwnerFollowers();
  #line: RobotLine | undefined;
  #queue: TabQueue | undefined;

  constructor(options: OwnerSideOptions) {
    this.#options = options;
  }

  /** Undefined: the owner is gone, or was left; `open` is to follow. */
  get line(): RobotLine | undefined {
    return this.#line;
  }

  /** For a leader tab; see leading.ts. */
  readonly follow: FollowOwner = (follower) => this.#followers.add(follower);

  /** @throws as `RobotLine.open`; then there is no line */
  async open(): Promise<void> {
    const { request, onNews, onGone } = this.#options;
    const { worker, clock, agent, token, timeoutMs, offline } = request;
    const line: RobotLine = new RobotLine({
      worker,
      clock,
      request: { agent, token, timeoutMs, offline },
      onNews: (snapshot) => this.#line === line && onNews(snapshot),
      onGone: () => this.#line === line && onGone(),
    });
    this.#line = line;
    try {
      await line.open();
    } catch (error) {
      this.leave(line);
      throw error;
    }
    this.#queue?.joinAgain();
    this.#followers.tell((port) => line.lead(port));
  }

  /** Nothing is asked of the owner any more over this line. */
  leave(line: RobotLine | undefined = this.#line): void {
    line?.end();
    if (line === undefined || this.#line !== line) return;
    this.#line = undefined;
    this.#queue?.lost();
    this.#followers.tell(undefined);
  }

  /** Opens the queue that the owner keeps. */
  async openQueue(options: Parameters<QueueOpener>[0]): Promise<OpenedQueue> {
    const { openTabQueue } = await loadQueue();
    this.#queue = openTabQueue({ ...options, join: (ports) => this.#line?.queue(ports) });
    return this.#queue;
  }

  /** For good. */
  end(): void {
    this.#line?.end();
    this.#line = undefined;
    this.#followers.tell(undefined);
  }
}
