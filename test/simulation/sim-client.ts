// The client of a simulation: a session that stands for a page, with a service of its own. It can be killed. Support of
// the tests.
import { serving } from '../../protocol/bus/serving.ts';
import type { QiwayError } from '../../protocol/errors.ts';
import { type ClientSession, openSession } from '../../protocol/session/client-session.ts';
import type { Chance } from './chance.ts';
import { Dialer, type DialerOptions } from './dialer.ts';
import type { History } from './history.ts';
import { TOKEN } from './sim-agent.ts';
import type { ProgramClock } from './sim-clock.ts';
import { SimService } from './sim-service.ts';

/** For a link, and for questions to the directory. */
export const TIMEOUT_MS = 5_000;
/** Between attempts at a first link. */
const AGAIN_MS = 500;

export interface SimClientOptions extends Omit<DialerOptions, 'clientId'> {
  /** What its calls are listed under. */
  readonly name: string;
  readonly history: History;
  readonly maxQueuedBytes: number;
  /** A new session took the place of the old. */
  readonly renewed: () => void;
}

export class SimClient {
  readonly name: string;
  /** The service that it offers. */
  readonly tabName: string;
  readonly dialer: Dialer;
  readonly tab: SimService;
  readonly #options: SimClientOptions;
  readonly #clock: ProgramClock;
  readonly #chance: Chance;
  #session: ClientSession | undefined;
  #state: 'starting' | 'started' | 'closed' | 'killed' = 'starting';

  constructor(options: SimClientOptions) {
    const { name, history, chance } = options;
    this.#options = options;
    this.name = name;
    this.tabName = `Tab of ${name}`;
    this.#chance = chance.fork();
    this.#clock = options.clock.program();
    this.dialer = new Dialer({ ...options, clientId: `id of ${name}` });
    this.tab = new SimService({ emitter: this.tabName, history, clock: this.#clock });
  }

  /** Undefined before the first link. */
  get session(): ClientSession | undefined {
    return this.#session;
  }

  get isUsable(): boolean {
    return this.#state === 'started';
  }

  get isOnline(): boolean {
    return this.#state === 'started' && this.#session?.sessionState === 'online';
  }

  /** The session ended, and not by us. */
  get endedWith(): QiwayError | undefined {
    return this.#session?.sessionState === 'closed' && this.#state === 'started' ? this.#session.reason : undefined;
  }

  /** The cable of its link. */
  get cable(): number | undefined {
    const address = this.#session?.link?.address;
    return address === undefined ? undefined : Number(address.split(':')[1]);
  }

  /** Tries until there is a session. */
  start(): void {
    const { trace, maxQueuedBytes } = this.#options;
    if (this.#state !== 'starting') return;
    const opening = openSession({
      dial: this.dialer.dial,
      token: TOKEN,
      clock: this.#clock,
      random: (count) => this.#chance.bytes(count),
      client: this.name,
      timeoutMs: TIMEOUT_MS,
      serving,
      limits: { maxMessageBytes: 4 * 1024 * 1024, maxQueuedBytes },
    });
    opening.then(
      (session) => {
        if (this.#state !== 'starting') return void session.close();
        this.#state = 'started';
        this.#session = session;
        trace(() => `${this.name} has session ${session.sessionId}`);
        session.listenSession({
          changed: () => trace(() => `${this.name} is ${session.sessionState}`),
          renewed: () => this.#options.renewed(),
        });
        this.#host(session);
      },
      (error: QiwayError) => {
        trace(() => `${this.name} cannot start: ${error.message}`);
        this.#clock.after(AGAIN_MS, () => this.start());
      },
    );
  }

  /** Offers its service; asks again when the question was too long under way. */
  #host(session: ClientSession): void {
    const { trace, history } = this.#options;
    this.tab.retain();
    history.waitFor({ owner: this.name, what: 'host' }, session.host(this.tabName, this.tab)).then(
      () => trace(() => `${this.name} offers its service`),
      (error: QiwayError) => {
        trace(() => `${this.name} cannot offer its service: ${error.message}`);
        this.#clock.after(AGAIN_MS, () => {
          if (this.#state === 'started' && session.state !== 'closed') this.#host(session);
        });
      },
    );
  }

  /** Says goodbye. */
  async close(): Promise<void> {
    this.#state = 'closed';
    await this.#session?.close();
  }

  /** Its program ends at once; the system may tell the agent. */
  kill(isTold: boolean): void {
    this.#options.trace(() => `${this.name} is killed`);
    this.#state = 'killed';
    this.#clock.end();
    this.dialer.kill(isTold);
  }
}
