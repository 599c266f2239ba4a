// One simulation: an agent, a client, users at both ends, a network that breaks, all from one seed and on virtual time. In
// the end everything is well again, and everything is let go of. Support of the tests.

import { type BothEnds, countsOf, hasSoundCable, isLetGo, leftOver, queuedBytes } from './both-ends.ts';
import type { Cable, Tamper } from './cable.ts';
import { Caller } from './caller.ts';
import { Chance } from './chance.ts';
import { CALM } from './dialer.ts';
import { History } from './history.ts';
import { FAULTS, type Fault, makeProfile, type Profile } from './profile.ts';
import { MOTION_SERVICE, ROBOT_SERVICES, SimAgent } from './sim-agent.ts';
import { SimClient } from './sim-client.ts';
import { drained, SimClock } from './sim-clock.ts';

export interface SimulationOptions {
  readonly seed: number;
  /** Takes what happens, line by line. */
  readonly trace?: ((line: string) => void) | undefined;
  /** Breaks the network in a way that no network does: the checker is to see it. */
  readonly tamper?: Tamper;
  readonly changes?: Partial<Profile>;
}

export interface SimulationReport {
  readonly seed: number;
  readonly violation: string | undefined;
  readonly calls: number;
  readonly runs: number;
  readonly events: number;
  readonly cables: number;
  readonly virtualMs: number;
}

/** Silence after which replayed motion is refused; what the agent promises. */
const STALE_AFTER_MS = 500;
/** Within this a client is online again once nothing is wrong: a silence is noticed, a dial that hangs is given up. */
const ONLINE_WITHIN_MS = 60_000;
/** Of what no link may keep waiting. */
const REST_MS = 25_000;
const NORMAL_WEIGHT = 40;

/** Runs one. A failure of the simulation itself is a violation, too. */
export async function simulate(options: SimulationOptions): Promise<SimulationReport> {
  const simulation = new Simulation(options);
  const { stackTraceLimit } = Error;
  // Errors are what a simulation is full of, and their stacks cost more than all else of them.
  if (options.trace === undefined) Error.stackTraceLimit = 0;
  try {
    await simulation.run();
  } catch (error) {
    simulation.history.violate(`it broke: ${error instanceof Error ? error.stack : String(error)}`);
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
  return simulation.report();
}

class Simulation {
  readonly history: History;
  readonly #seed: number;
  readonly #tamper: Tamper | undefined;
  readonly #clock = new SimClock();
  readonly #chance: Chance;
  readonly #profile: Profile;
  readonly #trace: (line: () => string) => void;
  readonly #killed = new Set<string>();
  #delivering: Cable | undefined;
  #mostDelayMs = 0;
  #agents = 0;
  #clients = 0;
  #cables = 0;
  #lostSessions = 0;
  #agent: SimAgent;
  #client: SimClient;
  #outside: Caller;
  #inside: Caller;

  constructor({ seed, trace, tamper, changes }: SimulationOptions) {
    this.#seed = seed;
    this.#tamper = tamper;
    this.#chance = new Chance(seed);
    this.#profile = { ...makeProfile(this.#chance.fork()), ...changes };
    this.#trace =
      trace === undefined ? () => {} : (line) => trace(`${this.#clock.now().toFixed(1).padStart(9)} ${line()}`);
    this.#trace(() => JSON.stringify(this.#profile));
    this.history = new History({
      now: () => this.#clock.now(),
      deliveringOn: () => this.#delivering?.id,
      mostDelayMs: () => this.#mostDelayMs,
      staleAfterMs: STALE_AFTER_MS,
      trace: this.#trace,
    });
    this.#agent = this.#makeAgent();
    this.#client = this.#makeClient();
    this.#outside = this.#makeOutside();
    this.#inside = this.#makeInside();
  }

  async run(): Promise<void> {
    const { steps } = this.#profile;
    this.#client.start();
    await this.#clock.runTo(10_000, () => this.#client.isOnline);
    this.#client.dialer.weather = this.#profile.weather;
    for (let step = 0; step < steps && this.history.violation === undefined; step += 1) {
      for (let count = this.#chance.pick([1, 1, 2, 5]) ?? 1; count > 0; count -= 1) this.#step();
      const pauseMs = this.#chance.pick([0, 0, 5, 50, 400, 2000, 5000]) ?? 0;
      if (pauseMs > 0) await this.#clock.runTo(this.#clock.now() + this.#chance.below(pauseMs * 2));
      else if (this.#chance.happens(0.5)) await drained();
      this.#checkBounds();
    }
    if (this.history.violation === undefined) await this.#comeToRest();
    if (this.history.violation === undefined) await this.#leave();
  }

  report(): SimulationReport {
    const { operations, listenings, violation } = this.history;
    return {
      seed: this.#seed,
      violation,
      calls: operations.length,
      runs: operations.reduce((sum, { runs }) => sum + runs.length, 0),
      events: listenings.reduce((sum, { heard }) => sum + heard.length, 0),
      cables: this.#cables,
      virtualMs: this.#clock.now(),
    };
  }

  // ---- what happens ------------------------------------------------------------------------------------------------

  #step(): void {
    if (this.#client.endedWith !== undefined) this.#replaceClient();
    const { faults } = this.#profile;
    let drawn = this.#chance.fraction() * FAULTS.reduce((sum, fault) => sum + faults[fault], NORMAL_WEIGHT);
    for (const fault of FAULTS) {
      drawn -= faults[fault];
      if (drawn < 0) return this.#fault(fault);
    }
    if (this.#client.isUsable) this.#use();
  }

  #use(): void {
    const name = this.#chance.pick(ROBOT_SERVICES) ?? MOTION_SERVICE;
    const { tabName, tab } = this.#client;
    const count = this.#chance.pick([1, 1, 1, 3, 8]) ?? 1;
    switch (this.#chance.below(15)) {
      case 0:
      case 1:
      case 2:
        for (let each = 0; each < count; each += 1) this.#outside.ask(name, 'call');
        return;
      case 3:
        for (let each = 0; each < count; each += 1) this.#outside.ask(name, this.#callOrPost());
        return;
      case 4:
        for (let each = 0; each < count; each += 1) this.#outside.ask(MOTION_SERVICE, this.#callOrPost());
        return;
      case 5:
        return this.#outside.callMade(name);
      case 6:
        return this.#outside.cancelOne();
      case 7:
        return this.#outside.subscribe(name);
      case 8:
        return this.#chance.happens(0.5) ? this.#outside.unsubscribeOne() : this.#outside.forget(name);
      case 9:
      case 10:
        for (let each = 0; each < count; each += 1) this.#agent.services.get(name)?.emit(this.#bodyBytes());
        return;
      case 11:
        for (let each = 0; each < count; each += 1) tab.emit(this.#bodyBytes());
        return;
      case 12:
        for (let each = 0; each < count; each += 1) this.#inside.ask(tabName, this.#callOrPost());
        return;
      case 13:
        return this.#chance.happens(0.6) ? this.#inside.subscribe(tabName) : this.#inside.unsubscribeOne();
      default:
        return this.#chance.happens(0.5) ? this.#inside.callMade(tabName) : this.#inside.cancelOne();
    }
  }

  #fault(fault: Fault): void {
    const { dialer, session } = this.#client;
    const cable = this.#chance.happens(0.8) ? dialer.last : this.#chance.pick(dialer.cables);
    const to = this.#chance.happens(0.5) ? 'agent' : 'client';
    switch (fault) {
      case 'cut':
        return cable?.cut();
      case 'halfOpen':
        cable?.swallow(to);
        if (this.#chance.happens(0.4)) cable?.swallow(to === 'agent' ? 'client' : 'agent');
        return;
      case 'slow':
      case 'stop': {
        const speed = fault === 'stop' ? 0 : (this.#chance.pick([1, 20, 500]) ?? 1);
        cable?.setSpeed(to, speed);
        this.#clock.after(this.#chance.between(10, 9000), () => cable?.setSpeed(to, Number.POSITIVE_INFINITY));
        return;
      }
      case 'agentRestart':
        return this.#replaceAgent();
      case 'clientRestart':
        return this.#replaceClient();
      case 'move':
        return session?.moveTo();
      case 'probe':
        return session?.probe();
      case 'dial':
        dialer.weather = this.#chance.happens(0.5) ? CALM : this.#profile.weather;
    }
  }

  #callOrPost(): 'call' | 'post' {
    return this.#chance.happens(0.6) ? 'call' : 'post';
  }

  #bodyBytes(): number {
    if (this.#chance.happens(this.#profile.bulk)) return this.#chance.between(60_000, 400_000);
    return this.#chance.pick([0, 4, 100, 3000]) ?? 0;
  }

  // ---- programs ----------------------------------------------------------------------------------------------------

  #replaceAgent(): void {
    this.#trace(() => `agent ${this.#agent.epoch} is killed`);
    this.#agent.kill(this.#chance.happens(0.7));
    this.#inside.killed();
    this.#killed.add(this.#inside.name);
    this.#lostSessions += 1;
    this.#agent = this.#makeAgent();
    this.#inside = this.#makeInside();
  }

  #replaceClient(): void {
    this.#client.kill(this.#chance.happens(0.7));
    this.#outside.killed();
    this.#killed.add(this.#outside.name);
    this.#lostSessions += 1;
    this.#client = this.#makeClient();
    this.#client.dialer.weather = this.#profile.weather;
    this.#outside = this.#makeOutside();
    this.#client.start();
  }

  #makeAgent(): SimAgent {
    const { heartbeatMs, keepMs, maxQueuedBytes } = this.#profile;
    this.#agents += 1;
    return new SimAgent({
      epoch: `epoch ${this.#agents}`,
      clock: this.#clock,
      chance: this.#chance.fork(),
      history: this.history,
      heartbeatMs,
      keepMs,
      maxQueuedBytes,
    });
  }

  #makeClient(): SimClient {
    this.#clients += 1;
    const [least, most] = this.#profile.delayMs;
    return new SimClient({
      name: `client ${this.#clients}`,
      clock: this.#clock,
      chance: this.#chance.fork(),
      history: this.history,
      maxQueuedBytes: this.#profile.maxQueuedBytes,
      agent: () => this.#agent,
      trace: this.#trace,
      tamper: this.#tamper,
      delivering: (cable) => {
        this.#delivering = cable;
      },
      delayMs: (chance) => chance.between(least, most),
      delayed: (delayMs) => {
        this.#mostDelayMs = Math.max(this.#mostDelayMs, delayMs);
      },
      made: () => {
        this.#cables += 1;
        return this.#cables;
      },
      renewed: () => {
        this.#lostSessions += 1;
      },
    });
  }

  #makeOutside(): Caller {
    const client = this.#client;
    return new Caller({
      name: client.name,
      chance: this.#chance.fork(),
      history: this.history,
      service: async (name) => {
        if (client.session === undefined) throw new Error('There is no session yet.');
        return client.session.service(name);
      },
      cable: () => (client.isOnline ? client.cable : undefined),
      roomBytes: () => this.#roomBytes(client.session),
      bodyBytes: () => this.#bodyBytes(),
    });
  }

  #makeInside(): Caller {
    const agent = this.#agent;
    return new Caller({
      name: agent.epoch,
      chance: this.#chance.fork(),
      history: this.history,
      service: (name) => agent.service(name),
      cable: () => this.#client.cable,
      roomBytes: () => Math.min(...agent.host.sessions.map((session) => this.#roomBytes(session))),
      bodyBytes: () => this.#bodyBytes(),
    });
  }

  #roomBytes(session: { readonly counts: { readonly queuedBytes: number } } | undefined): number {
    // A batch takes memory before it is full.
    return this.#profile.maxQueuedBytes - (session?.counts.queuedBytes ?? 0) - 300_000;
  }

  // ---- bounds, and the end -----------------------------------------------------------------------------------------

  #checkBounds(): void {
    const { maxQueuedBytes } = this.#profile;
    // One message may be larger than the bound, and the memory of a batch than what is in it.
    const most = maxQueuedBytes + 1024 * 1024;
    const queued = [this.#client.session, ...this.#agent.host.sessions].map((each) => each?.counts.queuedBytes ?? 0);
    for (const bytes of queued) if (bytes > most) this.history.violate(`${bytes} bytes are queued`);
  }

  /** Nothing is wrong any more: the client is online soon, everything is answered, acknowledged, heard. */
  async #comeToRest(): Promise<void> {
    const clock = this.#clock;
    const isWell = (): boolean => this.#client.isOnline && hasSoundCable(this.#client);
    this.#trace(() => 'nothing is wrong any more');
    if (this.#client.endedWith !== undefined) this.#replaceClient();
    this.#client.dialer.weather = CALM;
    for (const cable of this.#client.dialer.cables) {
      cable.setSpeed('agent', Number.POSITIVE_INFINITY);
      cable.setSpeed('client', Number.POSITIVE_INFINITY);
    }
    await clock.runTo(clock.now() + ONLINE_WITHIN_MS, isWell);
    if (!isWell()) return this.history.violate(`${this.#client.name} is not online ${ONLINE_WITHIN_MS} ms later`);
    await this.#answerAll();
    for (const service of this.#agent.services.values()) service.emit(4);
    this.#client.tab.emit(4);
    await clock.runTo(clock.now() + REST_MS, () => this.#isQuiet());
    this.#outside.checkUpToDate(() => true);
    this.#inside.checkUpToDate((emitter) => emitter === this.#client.tabName);
    if (!this.#isQuiet()) this.history.violate(`there are still bytes queued: ${queuedBytes(this.#ends).join(', ')}`);
  }

  /** Both ends can use what the other offers. */
  async #answerAll(): Promise<void> {
    const clock = this.#clock;
    const questions: (readonly [Caller, string])[] = [
      ...ROBOT_SERVICES.map((name) => [this.#outside, name] as const),
      [this.#inside, this.#client.tabName],
    ];
    for (const [caller, name] of questions) {
      const untilMs = clock.now() + REST_MS;
      let isAnswered = false;
      // The session may turn out to be lost yet.
      while (!isAnswered && clock.now() < untilMs) {
        const operation = caller.askPlainly(name);
        await clock.runTo(clock.now() + REST_MS, () => operation === undefined || operation.outcomes.length > 0);
        isAnswered = operation?.outcomes[0]?.kind === 'reply';
        if (!isAnswered) await clock.runTo(clock.now() + 100);
      }
      if (!isAnswered) this.history.violate(`in the end ${caller.name} gets no answer of ${name}`);
    }
  }

  /** Everything is let go of; nothing may be left. */
  async #leave(): Promise<void> {
    const clock = this.#clock;
    const { session } = this.#client;
    this.#trace(() => 'everything is let go of');
    this.history.endsAt = clock.now();
    this.#outside.leave();
    this.#inside.leave();
    await clock.runTo(clock.now() + REST_MS, () => isLetGo(this.#ends));
    if (!isLetGo(this.#ends)) this.history.violate(`left behind: ${JSON.stringify(countsOf(this.#ends))}`);
    await this.#client.close();
    await clock.runTo(clock.now() + this.#profile.keepMs + REST_MS, () => this.#agent.host.sessions.length === 0);
    await clock.runTo(clock.now() + 1000);
    this.history.checkEnd(this.#killed, this.#lostSessions === 0);
    for (const left of leftOver(this.#ends, session?.counts)) this.history.violate(left);
  }

  get #ends(): BothEnds {
    return { agent: this.#agent, client: this.#client };
  }

  #isQuiet(): boolean {
    return queuedBytes(this.#ends).every((bytes) => bytes === 0);
  }
}
