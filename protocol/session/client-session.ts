// The client's side of a session: a qi peer and a Bus for the page, over whatever link there is now. It dials, resumes, and
// begins a new session where the old one is gone. Layer 5. See docs/link-protocol.md section 5. It knows no sockets: how to
// dial is given.
import type { Bus, BusListener, BusObject, BusState, HostedService, ServiceInfo } from '../bus/bus.ts';
import { Peer } from '../bus/peer.ts';
import { asQiwayError, type QiwayError } from '../errors.ts';
import type { ClassTable } from '../member-class.ts';
import { ControlType } from '../wire/link-frame.ts';
import { type MessageHeader, MessageType } from '../wire/message.ts';
import { isActing } from './acting.ts';
import { attempt, type Dialed, type DialReason, type Made } from './attempt.ts';
import type { ClientSessionOptions, Loss, SessionListener, SessionState, State } from './client-session-types.ts';
import { Conduit } from './conduit.ts';
import { type Hello, readErrorBody, readStatus, type Told, type Welcome } from './control.ts';
import { firstLink } from './first-link.ts';
import { Heard } from './heard.ts';
import { JoinedBus } from './joined-bus.ts';
import { DEFAULT_LINK_LIMITS, eventBudget, type Link } from './link.ts';
import { Probe } from './probe.ts';
import { Retry } from './retry.ts';
import { SessionListeners } from './session-listeners.ts';
import { takeBack, withdrawMotion } from './taking-back.ts';
import { afterMicrotasks } from './turn.ts';
import { brokenOff, closedHere, endedByAgent, isFinal, lossOf, movedOver, notSent, sessionGone } from './why-lost.ts';

export type { Dial, Dialed, DialRequest } from './attempt.ts';
export type { ClientSessionOptions, Loss, SessionListener, SessionState } from './client-session-types.ts';

/** Makes the first link. @throws as `dial`; `unauthorized`, `protocol-mismatch`, `timeout`, `link-lost`, `wire-invalid` */
export async function openSession(options: ClientSessionOptions): Promise<ClientSession> {
  const session = new ClientSession(options);
  await session.begin();
  return session;
}

export class ClientSession implements Bus {
  readonly #options: ClientSessionOptions;
  readonly #conduit: Conduit;
  readonly #peer: Peer;
  /** The agent's bus, by service ids too. */
  readonly bus: JoinedBus;
  readonly #retry: Retry;
  readonly #heard: Heard;
  readonly #probe: Probe;
  readonly #listeners = new SessionListeners();
  readonly #closing = Promise.withResolvers<QiwayError | undefined>();
  readonly closed: Promise<QiwayError | undefined> = this.#closing.promise;
  #state: State = { kind: 'connecting' };
  #welcome: Welcome | undefined;
  #dialed: Dialed | undefined;
  #rttMs: number | undefined;
  #attempts = 0;
  #isDialing = false;
  #hasResumed = false;
  #loss: Loss | undefined;
  #beatMs: number | undefined;

  constructor(options: ClientSessionOptions) {
    this.#options = options;
    const { clock, schedule = afterMicrotasks, limits = DEFAULT_LINK_LIMITS, random, timeoutMs } = options;
    this.#conduit = new Conduit({
      clock,
      schedule,
      limits,
      onMessage: (header, payload) => this.#peer.receive(header, payload),
      onControl: (type, body) => this.#takeControl(type, body),
      onRtt: (rttMs) => {
        this.#probe.answered(rttMs);
        this.#rttMs = rttMs;
        this.#listeners.rttMeasured(rttMs);
      },
      onLost: (error) => this.#lost(error),
    });
    this.#peer = new Peer({
      send: (header, payload) => this.#send(header, payload),
      sendLossy: (header, payload) => this.#conduit.outbox.sendLossy(header, payload),
      serving: options.serving({
        services: (serviceId) => this.bus.served(serviceId),
        errors: 'record',
        flow: { flow: this.#conduit.outbox.flow, clock, budgetBytes: eventBudget(limits) },
      }),
      randomUid: () => random(20),
    });
    const [joined, isOnline] = [() => this.#loss && this.#listeners.renewed(), () => this.#state.kind === 'online'];
    this.bus = new JoinedBus({ peer: this.#peer, clock, timeoutMs, random, joined, known: options.known, isOnline });
    this.#heard = new Heard(options.known);
    this.#probe = new Probe(clock);
    this.#retry = new Retry({ clock, random, run: () => void this.#connect('lost') });
  }

  get sessionState(): SessionState {
    return this.#state.kind;
  }

  /** Why it is offline or closed. */
  get reason(): QiwayError | undefined {
    return 'reason' in this.#state ? this.#state.reason : undefined;
  }

  /** What the last link is, or was. */
  get link(): Dialed | undefined {
    return this.#dialed;
  }

  /** Did this session go on over another link at least once? */
  get hasResumed(): boolean {
    return this.#hasResumed;
  }

  get loss(): Loss | undefined {
    return this.#loss;
  }

  /** What the agent told last. */
  get told(): Told {
    return this.#heard.told;
  }

  /** What calls do, as the agent says. */
  get classes(): ClassTable {
    return this.#heard.classes;
  }

  get robotId(): string {
    return this.#dialed?.robot.id ?? this.#options.startsOffline?.robotId ?? '';
  }

  get sessionId(): string {
    return this.#welcome?.session ?? '';
  }

  get epoch(): string {
    return this.#welcome?.epoch ?? '';
  }

  get agent(): { readonly name: string; readonly version: string } {
    return this.#welcome?.agent ?? { name: '', version: '' };
  }

  /** Of the last heartbeat. */
  get rttMs(): number | undefined {
    return this.#rttMs;
  }

  /** Whether the agent has the robot's bus; the session itself goes on without. */
  get robotBus(): 'up' | 'down' {
    return this.#heard.told.bus;
  }

  get state(): BusState {
    return this.#state.kind === 'closed' ? 'closed' : 'up';
  }

  get machineId(): string {
    return this.bus.now?.machineId ?? '';
  }

  /** Counts of what is held and served, for tests of bounds. */
  get counts(): Peer['counts'] & { readonly queuedBytes: number } {
    return { ...this.#peer.counts, queuedBytes: this.#conduit.outbox.queuedBytes };
  }

  async begin(): Promise<void> {
    const isWithout = await firstLink(this.#connect('first'), this.#options);
    if (isWithout !== undefined && this.#state.kind === 'connecting') {
      this.bus.beginsKnown();
      this.#heard.remember();
      this.#become({ kind: 'offline', reason: isWithout, isKept: this.#welcome !== undefined });
    }
    if (this.#state.kind === 'closed') throw this.#state.reason ?? closedHere();
  }

  services(): Promise<readonly ServiceInfo[]> {
    return this.bus.needed().services();
  }

  service(name: string): Promise<BusObject> {
    return this.bus.needed().service(name);
  }

  serviceInfo(name: string): Promise<ServiceInfo> {
    return this.bus.needed().serviceInfo(name);
  }

  host(name: string, object: BusObject): Promise<HostedService> {
    return this.bus.needed().host(name, object);
  }

  listen(listener: BusListener): () => void {
    return this.bus.needed().listen(listener);
  }

  listenSession(listener: SessionListener): () => void {
    return this.#listeners.add(listener);
  }

  /** The session object; of each session another. @throws as calls do */
  own(): Promise<BusObject> {
    return this.bus.own();
  }

  /** Measures the round trip now; the result comes to the listeners. */
  ping(): void {
    this.#conduit.link?.ping();
  }

  /** Looks now whether the link is alive: something happened after which it may not be. */
  probe(): void {
    const { link } = this.#conduit;
    if (this.#state.kind === 'offline') return this.#retry.now();
    if (link !== undefined) this.#probe.ask(link, this.#rttMs);
  }

  /** Makes another link while this one goes on, and moves over to it. Nothing happens while that is under way already. */
  moveTo(): void {
    if (this.#state.kind === 'online') void this.#connect('better');
  }

  /** A sign of life at least so often, ms; undefined: as the agent asks. */
  setBeat(everyMs: number | undefined): void {
    this.#beatMs = everyMs;
    this.#conduit.link?.setBeat(this.#beatEveryMs());
  }

  async close(): Promise<void> {
    this.#end(undefined);
  }

  #beatEveryMs(): number {
    return Math.min(this.#beatMs ?? Number.POSITIVE_INFINITY, this.#welcome?.heartbeatMs ?? 1000);
  }

  #send(header: MessageHeader, payload: Uint8Array): void {
    const [{ outbox }, { type }] = [this.#conduit, header];
    if (this.#state.kind === 'offline') {
      if (isActing(header)) throw notSent();
      // What nobody waits for any more is not to run late, either.
      if (type === MessageType.cancel) takeBack(payload, { outbox, peer: this.#peer });
    }
    try {
      outbox.send(header, payload);
    } catch (error) {
      // Who calls is told, and too large an answer becomes an error; nothing is lost in silence: else the session ends.
      if (type <= MessageType.reply || type === MessageType.post || type === MessageType.cancel) throw error;
      this.#end(asQiwayError(error));
    }
  }

  /** One attempt at a link. Only the first one throws. */
  async #connect(reason: DialReason): Promise<void> {
    if (this.#isDialing) return;
    this.#isDialing = true;
    let made: Made | undefined;
    try {
      made = await this.#dial(reason).finally(() => {
        this.#isDialing = false;
      });
      await this.#take(made);
    } catch (thrown) {
      this.#failed(asQiwayError(thrown), { reason, link: made?.link });
      if (reason === 'first') throw thrown;
    }
  }

  #dial(reason: DialReason): Promise<Made> {
    const { dial, clock, timeoutMs, token, client, limits = DEFAULT_LINK_LIMITS } = this.#options;
    const hello = (): Omit<Hello, 'protocol'> => {
      const { received, outbox } = this.#conduit;
      const old = this.#resumable();
      this.#attempts += 1;
      const resume = old && { session: old.session, epoch: old.epoch, received, sent: outbox.sentNumber };
      return { token, client, attempt: this.#attempts, ...(resume !== undefined && { resume }) };
    };
    return attempt({ dial, clock, timeoutMs, reason, hello, maxBufferedBytes: limits.maxQueuedBytes });
  }

  /** Goes over to a link on which the agent said welcome. */
  async #take({ welcome, link, dialed }: Made): Promise<void> {
    if (this.#state.kind === 'closed') return link.sayGoodbye();
    const old = this.#resumable();
    const isResumed = welcome.session === old?.session && welcome.epoch === old.epoch;
    if (!isResumed) {
      if (this.#welcome !== undefined) this.#leaveOld(this.reason, this.#isLeft() ? this.#loss : undefined);
      this.bus.begins(welcome.session, dialed.robot.id);
    }
    this.#welcome = welcome;
    this.#dialed = dialed;
    if (isResumed) this.#withdrawMotion(movedOver(), welcome.received);
    this.#conduit.outbox.limitMessages(welcome.maxMessageBytes);
    const { received: otherHas, heartbeatMs } = welcome;
    this.#conduit.attach(link, { otherHas, heartbeatMs, beatMs: this.#beatEveryMs(), probes: true });
    if (this.#state.kind === 'offline') this.#state = { ...this.#state, isKept: true };
    this.#hear(welcome);
    this.#hasResumed = isResumed;
    if (this.bus.isJoined) await this.bus.lookForRemembered();
    else await this.bus.join();
    if (this.#conduit.link === undefined) return; // lost again meanwhile, and dialed again
    this.#retry.reset();
    this.#become({ kind: 'online' });
  }

  #failed(error: QiwayError, { reason, link }: { readonly reason: DialReason; readonly link: Link | undefined }): void {
    if (this.#state.kind === 'closed') return;
    if ((reason === 'first' && this.#options.startsOffline === undefined) || (isFinal(error) && reason !== 'better'))
      return this.#end(error);
    // It could not go on over a link that stands: begun anew, that is another matter.
    if (link?.isOpen === true && link === this.#conduit.link) return link.close(brokenOff(error), 1000);
    link?.leave(1000, 'not taken');
    if (this.#conduit.link !== undefined) return;
    if (this.#state.kind === 'offline') this.#become({ ...this.#state, reason: error });
    this.#retry.later();
  }

  /** The session that the agent may still have. */
  #resumable(): Welcome | undefined {
    return this.#isLeft() ? undefined : this.#welcome;
  }

  /** The old session is over: what cannot go on in a new one ends, and is counted; on top of what was lost when it was left. */
  #leaveOld(cause: QiwayError | undefined, before?: Loss): void {
    const reason = sessionGone(cause);
    const neverSent = this.#conduit.outbox.neverSent();
    this.#conduit.reset();
    this.#hasResumed = false;
    const { calls, objects } = this.#peer.renew(reason, neverSent);
    this.bus.ends();
    this.#loss = lossOf(reason, { calls, objects, before });
    if (this.#state.kind === 'online') this.#become({ kind: 'offline', reason, isKept: true });
  }

  #takeControl(type: number, body: Uint8Array): void {
    if (type === ControlType.goodbye) {
      const error = readErrorBody(body);
      if (error === undefined || isFinal(error)) return this.#end(error ?? endedByAgent());
      // It may take us in again, as a new session.
      if (this.#state.kind === 'connecting') this.#conduit.link?.close(error, 1000);
      else this.#lostForGood(error);
    } else if (type === ControlType.status) this.#hear(readStatus(body));
  }

  #hear(told: Partial<Told>): void {
    const before = this.robotBus;
    this.#heard.hear(told);
    const { robotBus } = this;
    if (robotBus !== before) this.#listeners.robotBusChanged(robotBus);
    this.#listeners.changed();
  }

  #lost(error: QiwayError): void {
    this.#probe.stop();
    if (this.#state.kind === 'closed') return;
    if (isFinal(error)) return this.#end(error);
    if (this.#state.kind !== 'connecting') {
      const isLeft = this.#isLeft();
      if (!isLeft && error.code !== 'link-lost') return this.#lostForGood(error);
      this.#become({ kind: 'offline', reason: error, isKept: !isLeft });
      if (!isLeft) this.#withdrawMotion(error);
    }
    if (!this.#isDialing) this.#retry.now();
  }

  /** The link is lost, and the agent keeps nothing of the session: a new one is begun, and nobody waits for the old till then. */
  #lostForGood(error: QiwayError): void {
    this.#become({ kind: 'offline', reason: error, isKept: false });
    this.#leaveOld(error);
    if (!this.#isDialing) this.#retry.now();
  }

  /** Is the session over at the agent, and was it left here? */
  #isLeft(): boolean {
    return this.#state.kind === 'offline' && !this.#state.isKept;
  }

  #withdrawMotion(cause: QiwayError, received?: number): void {
    const nameOf = (serviceId: number): string | undefined => this.bus.now?.nameOf(serviceId);
    const late = received === undefined ? undefined : { received, nowMs: this.#options.clock.now() };
    withdrawMotion({ outbox: this.#conduit.outbox, peer: this.#peer, classes: this.classes, nameOf, cause, late });
  }

  #become(state: State): void {
    if (this.#state.kind === 'closed') return;
    this.#state = state;
    this.#listeners.changed();
  }

  /** @param error undefined: closed here */
  #end(error: QiwayError | undefined): void {
    if (this.#state.kind === 'closed') return;
    const { link } = this.#conduit;
    if (error === undefined) void this.bus.now?.close();
    this.#become({ kind: 'closed', reason: error });
    this.#retry.stop();
    this.#probe.stop();
    const neverSent = link === undefined ? this.#conduit.outbox.neverSent() : new Set<number>();
    this.#conduit.close(error);
    this.#peer.close(error ?? closedHere(), { neverSent });
    this.#closing.resolve(error);
  }
}
