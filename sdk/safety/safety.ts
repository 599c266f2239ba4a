// Failsafes and leases of one robot: asks the agent for them, hears what becomes of them, asks again in a new session.
// Loaded when the app first asks for one.
import { asQiwayError, isQiwayError, QiwayError } from '@qiway/protocol/errors';
import { callTuples, type Failsafe, type FailsafeOptions, type FailsafeStatus } from './failsafe.ts';
import { type Lease, type LeaseOptions, leaseLost } from './lease.ts';
import type { LeaseInfo, SafetyOptions, SessionObject } from './session-object.ts';

/** Signs of life in the time of a failsafe: one may be lost on a bad radio, and one be late. */
const BEATS = 3;
/** The agent ends a lease after 3 s of silence. */
const LEASE_BEAT_MS = 1_000;
/** Told before the answer that it belongs to was read. */
const MAX_EARLY = 64;

/** Something that is held at the agent. */
interface Entry {
  readonly kind: 'failsafe' | 'lease';
  readonly beatMs: number;
  /** Asks for it. @throws what the agent refuses it with */
  readonly ask: (own: SessionObject) => Promise<number>;
  readonly giveBack: (own: SessionObject, id: number) => Promise<unknown>;
  readonly lose: (error: QiwayError) => void;
  /** Of the present session; undefined while it is asked for. */
  id: number | undefined;
}

export class RobotSafety {
  readonly #options: SafetyOptions;
  readonly #entries = new Set<Entry>();
  readonly #states = new Map<number, FailsafeStatus>();
  readonly #lostEarly = new Map<number, QiwayError>();
  readonly #leaseListeners = new Set<(leases: readonly LeaseInfo[]) => void>();
  /** What could not be given back or asked for again for want of a link or of the robot's bus, of the present session. */
  #owed: (() => Promise<unknown>)[] = [];
  /** Counts those that took the place of another. */
  #sessions = 0;
  #own: Promise<SessionObject> | undefined;
  readonly #stopListening: () => void;
  #isClosed = false;

  constructor(options: SafetyOptions) {
    this.#options = options;
    this.#stopListening = options.session.listenSession({
      changed: () => this.#payOwed(),
      renewed: () => void this.#renew(),
    });
  }

  /** Undefined: there is none. */
  get status(): FailsafeStatus | undefined {
    const own = [...this.#entries]
      .filter(({ kind }) => kind === 'failsafe')
      .map(({ id }) => (id === undefined ? undefined : this.#states.get(id)))
      .filter((state) => state !== undefined);
    return own.find(({ state }) => state === 'fired') ?? own.toSorted((one, other) => one.afterMs - other.afterMs)[0];
  }

  async failsafe({ afterMs, calls }: FailsafeOptions): Promise<Failsafe> {
    const tuples = callTuples(calls);
    const { promise: lost, resolve: lose } = Promise.withResolvers<QiwayError>();
    const entry: Entry = {
      kind: 'failsafe',
      beatMs: Math.floor(afterMs / BEATS),
      ask: async (own) => {
        const id = await own.setFailsafe(afterMs, tuples);
        if (!this.#states.has(id)) this.#states.set(id, { afterMs, state: 'armed' });
        return id;
      },
      giveBack: (own, id) => own.clearFailsafe(id),
      lose,
      id: undefined,
    };
    await this.#add(entry);
    const clear = (): Promise<void> => this.#remove(entry);
    return { afterMs, lost, clear, [Symbol.asyncDispose]: clear };
  }

  async lease(services: readonly string[], { takeOver = false }: LeaseOptions = {}): Promise<Lease> {
    const { promise: lost, resolve: lose } = Promise.withResolvers<QiwayError>();
    let isFirst = true;
    const entry: Entry = {
      kind: 'lease',
      beatMs: LEASE_BEAT_MS,
      ask: (own) => {
        const id = own.takeLease(services, isFirst && takeOver);
        isFirst = false;
        return id;
      },
      giveBack: (own, id) => own.dropLease(id),
      lose,
      id: undefined,
    };
    await this.#add(entry);
    const release = (): Promise<void> => this.#remove(entry);
    return { services: [...services], lost, release, [Symbol.asyncDispose]: release };
  }

  /** Tells who has control of what, now and whenever it changes; returns how to stop. */
  async watchLeases(listener: (leases: readonly LeaseInfo[]) => void): Promise<() => void> {
    this.#leaseListeners.add(listener);
    try {
      this.#callListener(listener, await (await this.#object()).leases());
    } catch (error) {
      this.#leaseListeners.delete(listener);
      throw error;
    }
    return () => this.#leaseListeners.delete(listener);
  }

  /** The robot is closed: what was held ended with the session. */
  close(reason: QiwayError): void {
    this.#isClosed = true;
    this.#stopListening();
    for (const { lose } of this.#entries) lose(reason);
    this.#entries.clear();
    this.#states.clear();
    this.#leaseListeners.clear();
    this.#owed = [];
  }

  async #add(entry: Entry): Promise<void> {
    // Before the agent counts the silence.
    this.#entries.add(entry);
    this.#beat();
    try {
      await this.#register(entry);
    } catch (error) {
      this.#entries.delete(entry);
      this.#beat();
      throw error;
    }
    this.#options.changed();
  }

  async #register(entry: Entry): Promise<void> {
    const object = this.#object();
    const id = await entry.ask(await object);
    if (this.#own !== object) return; // another session by now, in which it is asked for again
    if (!this.#entries.has(entry)) {
      await entry.giveBack(await object, id);
      return;
    }
    entry.id = id;
    const lost = entry.kind === 'lease' ? this.#lostEarly.get(id) : undefined;
    if (lost !== undefined) this.#drop(entry, lost);
  }

  async #remove(entry: Entry): Promise<void> {
    if (!this.#entries.delete(entry)) return;
    this.#beat();
    this.#options.changed();
    const { id } = entry;
    const own = this.#own;
    if (id === undefined || own === undefined) return;
    const giveBack = async (): Promise<unknown> => entry.giveBack(await own, id);
    try {
      await giveBack();
    } catch (error) {
      if (!isForWantOfLink(error)) return;
      if (this.#own === own) this.#owed.push(giveBack);
    }
  }

  #drop(entry: Entry, error: QiwayError): void {
    if (!this.#entries.delete(entry)) return;
    this.#beat();
    entry.lose(error);
    this.#options.changed();
  }

  /** The session object of the present session, with its signals heard. */
  #object(): Promise<SessionObject> {
    if (this.#isClosed) return Promise.reject(new QiwayError('closed', 'The robot was closed; connect again.'));
    const own = this.#own ?? this.#open();
    this.#own = own;
    own.catch(() => {
      if (this.#own === own) this.#own = undefined;
    });
    return own;
  }

  async #open(): Promise<SessionObject> {
    const { session, objects } = this.#options;
    const object = await session.own();
    object.retain(); // the session keeps its own
    const own = objects.wrap<SessionObject>(object) as unknown as SessionObject;
    await Promise.all([
      own.failsafeChanged.connect((id, afterMs, state, firedAtMs, failures) => {
        this.#states.set(id, {
          afterMs,
          state,
          ...(firedAtMs > 0 && { firedAtMs }),
          ...(failures.length > 0 && { failures }),
        });
        this.#options.changed();
      }),
      own.leaseLost.connect((id, reason, by) => {
        const error = leaseLost(reason, by);
        const entry = [...this.#entries].find(({ kind, id: own }) => kind === 'lease' && own === id);
        if (entry !== undefined) this.#drop(entry, error);
        else if (this.#lostEarly.size < MAX_EARLY) this.#lostEarly.set(id, error);
      }),
      own.leasesChanged.connect(() => void this.#tellLeases(own)),
    ]);
    return own;
  }

  /** A new session knows nothing of what the old one had. */
  async #renew(): Promise<void> {
    this.#sessions += 1;
    this.#own = undefined;
    this.#owed = [];
    this.#states.clear();
    this.#lostEarly.clear();
    for (const entry of this.#entries) entry.id = undefined;
    this.#options.changed();
    for (const entry of [...this.#entries]) await this.#registerAgain(entry);
    this.#options.changed();
    if (this.#leaseListeners.size > 0)
      await this.#object().then(
        (own) => this.#tellLeases(own),
        () => undefined,
      );
  }

  /** Never rejects. */
  async #registerAgain(entry: Entry): Promise<void> {
    if (!this.#entries.has(entry)) return;
    const session = this.#sessions;
    try {
      await this.#register(entry);
      this.#options.changed();
    } catch (thrown) {
      if (session !== this.#sessions) return; // the new one asks for it itself
      const error = asQiwayError(thrown);
      // The link broke again: the next session asks for it, or this one when it is back. Without its bus no robot moves.
      if (isForWantOfLink(error) || error.code === 'bus-down') this.#owed.push(() => this.#registerAgain(entry));
      else this.#drop(entry, entry.kind === 'lease' ? leaseLost('agent-restarted') : error);
    }
  }

  #payOwed(): void {
    for (const pay of this.#owed.splice(0))
      pay().catch((error: unknown) => {
        if (isForWantOfLink(error)) this.#owed.push(pay);
      });
  }

  async #tellLeases(own: SessionObject): Promise<void> {
    if (this.#leaseListeners.size === 0) return;
    try {
      const leases = await own.leases();
      for (const listener of [...this.#leaseListeners]) this.#callListener(listener, leases);
    } catch (error) {
      this.#options.report(error);
    }
  }

  #callListener(listener: (leases: readonly LeaseInfo[]) => void, leases: readonly LeaseInfo[]): void {
    try {
      listener(leases);
    } catch (error) {
      this.#options.report(error);
    }
  }

  #beat(): void {
    const beats = [...this.#entries].map(({ beatMs }) => beatMs);
    this.#options.session.setBeat(beats.length === 0 ? undefined : Math.min(...beats));
  }
}

/** Calls to the agent wait for the next link, but not for ever. */
function isForWantOfLink(error: unknown): boolean {
  return isQiwayError(error) && ['offline', 'link-lost', 'timeout'].includes(error.code);
}
