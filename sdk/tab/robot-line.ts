// A tab's line to one robot at the owner of its link: the robot opened there, what is asked of it, and its news. Every answer is
// waited for until the line ends, and not for ever. Knows no attachment.
import type { Clock } from '@qiway/protocol/clock';
import { QiwayError } from '@qiway/protocol/errors';
import { within } from '@qiway/protocol/within';
import { transfer } from 'comlink';
import type { TabQueuePorts } from '../offline/owned-queue.ts';
import { type Outcome, type OwnerRequest, type RobotKey, type Snapshot, takeOutcome } from '../owner/owner-port.ts';
import type { WorkerChoice } from '../owner/worker-choice.ts';
import { type OwnerLine, openOwnerLine } from './owner-line.ts';

export interface RobotLineOptions {
  readonly worker: Exclude<WorkerChoice, false> | undefined;
  readonly clock: Clock;
  readonly request: OwnerRequest;
  /** The state of the owner's session; none that is older than one before. From `open` to the end. */
  readonly onNews: (snapshot: Snapshot) => void;
  /** The owner is gone, and nobody here ended the line. */
  readonly onGone: () => void;
}

type State =
  | { readonly kind: 'opening' }
  | { readonly kind: 'open'; readonly line: OwnerLine; readonly key: RobotKey }
  | { readonly kind: 'ended' };

type Opened = Outcome<{ readonly key: RobotKey; readonly snapshot: Snapshot }>;

/** For the owner to answer what it has not to ask the robot for. */
const ANSWER_MS = 5_000;
/** Beyond the time for a link: it loads its parts, and looks why none was made. */
const OPEN_MORE_MS = 15_000;

export class RobotLine {
  readonly #options: RobotLineOptions;
  readonly #over = Promise.withResolvers<never>();
  #state: State = { kind: 'opening' };
  #line: OwnerLine | undefined;
  /** Number of the newest snapshot. */
  #newest = -1;

  constructor(options: RobotLineOptions) {
    this.#options = options;
    this.#over.promise.catch(() => {}); // those who wait are told
  }

  get isOpen(): boolean {
    return this.#state.kind === 'open';
  }

  /** Rejects with the end. */
  get over(): Promise<never> {
    return this.#over.promise;
  }

  /** @throws `unsupported` where there is no worker; as `OpenRobotSession`; `link-lost` when the line ends meanwhile */
  async open(): Promise<void> {
    const { worker, clock, request, onGone } = this.#options;
    try {
      const greeting = openOwnerLine({
        worker,
        clock,
        onGone: () => {
          if (this.#isEnded) return;
          this.end();
          onGone();
        },
      });
      greeting.then((line) => this.#isEnded && line.end()).catch(() => {});
      const line = await Promise.race([greeting, this.#over.promise]);
      this.#line = line;
      const { port1: news, port2 } = new MessageChannel();
      news.onmessage = ({ data }: MessageEvent<Snapshot>) => this.#hear(data);
      line.ports.push(news);
      const opening: Promise<Opened> = line.owner.open(request, transfer(port2, [port2]));
      const { key, snapshot } = takeOutcome(await this.#answer(opening, request.timeoutMs + OPEN_MORE_MS));
      this.#state = { kind: 'open', line, key };
      this.#hear(snapshot);
    } catch (error) {
      this.end();
      throw error;
    }
  }

  /** Hands the port over. The first messages may come at once; false: the owner does not have the robot any more. @throws */
  async attach(port: MessagePort): Promise<boolean> {
    const { line, key } = this.#needed();
    const snapshot = await this.#answer(line.owner.attach(key, transfer(port, [port])), ANSWER_MS);
    if (snapshot !== undefined) this.#hear(snapshot);
    return snapshot !== undefined;
  }

  probe(): void {
    if (this.#state.kind === 'open') this.#state.line.owner.probe(this.#state.key).catch(() => {});
  }

  /** Ends of the ports over which this tab uses the robot's offline queue. */
  queue(ports: TabQueuePorts): void {
    if (this.#state.kind !== 'open') return;
    const { line, key } = this.#state;
    line.owner.queue(key, transfer(ports, [ports.asks, ports.news])).catch(() => {});
  }

  /** A request of the gateway. False: there is nobody to answer it. */
  passOn(port: MessagePort): boolean {
    if (this.#state.kind !== 'open') return false;
    this.#state.line.owner.answer(transfer(port, [port])).catch(() => {});
    return true;
  }

  /** The other end of a leader tab's port, see sdk/leader/leader-port.ts. */
  lead(port: MessagePort): void {
    if (this.#state.kind !== 'open') return port.close();
    this.#state.line.owner.lead(this.#state.key, transfer(port, [port])).catch(() => {});
  }

  /** What the tab held is given back in order; settles once the owner knows, or hears nothing any more. Never rejects. */
  async close(): Promise<void> {
    if (this.#state.kind !== 'open') return;
    const { line, key } = this.#state;
    await this.#answer(line.owner.close(key), ANSWER_MS).catch(() => {});
  }

  /** Lets the owner know that this tab goes; who waits for an answer is told. Idempotent. */
  end(): void {
    if (this.#isEnded) return;
    this.#state = { kind: 'ended' };
    this.#line?.end();
    this.#over.reject(lineEnded());
  }

  get #isEnded(): boolean {
    return this.#state.kind === 'ended';
  }

  #needed(): { readonly line: OwnerLine; readonly key: RobotKey } {
    if (this.#state.kind !== 'open') throw lineEnded();
    return this.#state;
  }

  /** News and answers come over two ports, each in its own order. */
  #hear(snapshot: Snapshot): void {
    if (this.#state.kind !== 'open' || snapshot.number <= this.#newest) return;
    this.#newest = snapshot.number;
    this.#options.onNews(snapshot);
  }

  /** Ports tell nobody that an answer will never come. */
  #answer<T>(answer: PromiseLike<T>, timeoutMs: number): Promise<T> {
    const limit = { clock: this.#options.clock, timeoutMs };
    return within(Promise.race([answer, this.#over.promise]), limit, 'The SharedWorker did not answer');
  }
}

function lineEnded(): QiwayError {
  return new QiwayError(
    'link-lost',
    'The worker that had the link ended, or its page was put aside; it is asked again.',
    {
      data: { reason: 'worker gone' },
    },
  );
}
