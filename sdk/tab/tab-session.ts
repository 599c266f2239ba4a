// A robot's session as a tab has it whose link a worker owns: a peer and a bus over an attachment, made anew when that ends.
// See docs/browser.md. A chunk of its own; nothing that the core loads may import it.
import type { BusListener, BusObject, BusState, HostedService, ServiceInfo } from '@qiway/protocol/bus/bus';
import { lazyServing } from '@qiway/protocol/bus/lazy-serving';
import { Peer } from '@qiway/protocol/bus/peer';
import type { Clock } from '@qiway/protocol/clock';
import { asQiwayError, QiwayError, reviveError } from '@qiway/protocol/errors';
import type { ClassTable } from '@qiway/protocol/member-class';
import type { Loss, SessionListener, SessionState } from '@qiway/protocol/session/client-session';
import type { Told } from '@qiway/protocol/session/control';
import { Heard } from '@qiway/protocol/session/heard';
import { JoinedBus } from '@qiway/protocol/session/joined-bus';
import { PlainWire } from '@qiway/protocol/session/plain-wire';
import { SessionListeners } from '@qiway/protocol/session/session-listeners';
import { isFinal } from '@qiway/protocol/session/why-lost';
import { messagePortTransport } from '@qiway/protocol/transport/message-port';
import { type MessageHeader, MessageType } from '@qiway/protocol/wire/message';
import { within } from '@qiway/protocol/within';
import { transfer } from 'comlink';
import type { LinkFacts, RobotSession } from '../dial/dial.ts';
import { probeWithPage, thisPage } from '../dial/page-probes.ts';
import { listenForGateway } from '../gateway/listen-for-gateway.ts';
import { type KnownRobot, openKnownRobot } from '../metaobjects/known-robot.ts';
import type { OpenedQueue } from '../offline/open-queue.ts';
import type { TabQueuePorts } from '../offline/owned-queue.ts';
import type { QueueOpener } from '../offline/robot-queue.ts';
import type { TabQueue } from '../offline/tab-queue.ts';
import { onDemand } from '../on-demand.ts';
import { onceLoaded } from '../once-loaded.ts';
import type { RobotKey, Snapshot } from '../owner/owner-port.ts';
import { type MissingAbility, missingAbilities } from '../page-abilities.ts';
import { openAtOwner } from './open-at-owner.ts';
import type { OwnerLine } from './owner-line.ts';
import { followTabLife } from './tab-life.ts';
import { noOwner, pauseBefore, type State, type TabSessionRequest } from './tab-state.ts';
import { wireFlow } from './wire-flow.ts';

const loadQueue = onceLoaded('keeps calls that wait', () => import('../offline/tab-queue.ts'));

/**
 * Joins the session that the worker of this origin has with the robot, or has it make one.
 * @throws `unsupported` where there is no worker; as `OpenRobotSession`
 */
export async function openTabSession(request: TabSessionRequest): Promise<RobotSession> {
  const session = new TabSession(request);
  await session.begin();
  return session;
}

class TabSession implements RobotSession {
  readonly owner = 'worker';
  readonly missing: readonly MissingAbility[] = missingAbilities();
  readonly #request: TabSessionRequest;
  readonly #clock: Clock;
  readonly #peer: Peer;
  readonly #bus: JoinedBus;
  readonly #listeners = new SessionListeners();
  readonly #known: KnownRobot;
  readonly #heard: Heard;
  readonly #closing = Promise.withResolvers<QiwayError | undefined>();
  readonly closed: Promise<QiwayError | undefined> = this.#closing.promise;
  readonly #stops: (() => void)[] = [];
  #line: OwnerLine | undefined;
  #key: RobotKey = '';
  #queue: TabQueue | undefined;
  #snapshot: Snapshot | undefined;
  #state: State = { kind: 'apart', reason: undefined, isAside: false };
  #loss: Loss | undefined;
  #isAttaching = false;
  #hasJoined = false;

  constructor(request: TabSessionRequest) {
    this.#request = request;
    const { clock, timeoutMs } = request;
    this.#clock = clock;
    const random = (count: number): Uint8Array => crypto.getRandomValues(new Uint8Array(count));
    this.#peer = new Peer({
      send: (header, payload) => this.#send(header, payload),
      sendLossy: (header, payload) => this.#wire?.sendLossy(header, payload),
      serving: lazyServing(onDemand)({
        services: (id) => this.#bus.served(id),
        errors: 'record',
        flow: { flow: wireFlow(() => this.#wire), clock },
      }),
      randomUid: () => random(20),
    });
    const joined = (): void => {
      if (this.#hasJoined) this.#listeners.renewed();
      this.#hasJoined = true;
    };
    const known = openKnownRobot(clock, request.agent.link);
    const isOnline = (): boolean => this.sessionState === 'online';
    this.#bus = new JoinedBus({ peer: this.#peer, clock, timeoutMs, random, joined, known, isOnline });
    [this.#known, this.#heard] = [known, new Heard(known)];
  }

  get sessionState(): SessionState {
    const { kind } = this.#state;
    if (kind === 'closed') return 'closed';
    const state = this.#snapshot?.state ?? 'connecting';
    return kind !== 'attached' && state === 'online' ? (this.#hasJoined ? 'offline' : 'connecting') : state;
  }

  get reason(): QiwayError | undefined {
    if ('reason' in this.#state && this.#state.reason !== undefined) return this.#state.reason;
    const reason = this.#snapshot?.reason;
    return reason && reviveError(reason);
  }

  get link(): LinkFacts | undefined {
    return this.#snapshot?.link;
  }

  get hasResumed(): boolean {
    return this.#snapshot?.hasResumed ?? false;
  }

  get loss(): Loss | undefined {
    return this.#loss;
  }

  get told(): Told {
    return this.#heard.told;
  }

  get classes(): ClassTable {
    return this.#heard.classes;
  }

  get robotId(): string {
    return this.#snapshot?.robotId ?? '';
  }

  get sessionId(): string {
    return this.#snapshot?.sessionId ?? '';
  }

  get agent(): RobotSession['agent'] {
    return this.#snapshot?.agent ?? { name: '', version: '' };
  }

  get rttMs(): number | undefined {
    return this.#snapshot?.rttMs;
  }

  get state(): BusState {
    return this.#state.kind === 'closed' ? 'closed' : 'up';
  }

  get #wire(): PlainWire | undefined {
    return 'wire' in this.#state ? this.#state.wire : undefined;
  }

  async begin(): Promise<void> {
    this.#isAttaching = true;
    try {
      await this.#open();
      if (!(await this.#beginsKnown())) {
        await this.#linked();
        await this.#attach();
      }
    } catch (error) {
      this.#end(asQiwayError(error));
      throw error;
    } finally {
      this.#isAttaching = false;
    }
    const page = thisPage();
    if (page === undefined) return;
    this.#stops.push(probeWithPage(this, page));
    this.#stops.push(listenForGateway((port) => this.#takeRequest(port)));
    this.#stops.push(
      followTabLife({ window: page.window, away: () => this.#putAside(), back: () => void this.#comeBack() }),
    );
  }

  services(): Promise<readonly ServiceInfo[]> {
    return this.#bus.needed().services();
  }

  service(name: string): Promise<BusObject> {
    return this.#bus.needed().service(name);
  }

  host(name: string, object: BusObject): Promise<HostedService> {
    return this.#bus.needed().host(name, object);
  }

  listen(listener: BusListener): () => void {
    return this.#bus.needed().listen(listener);
  }

  listenSession(listener: SessionListener): () => void {
    return this.#listeners.add(listener);
  }

  own(): Promise<BusObject> {
    return this.#bus.own();
  }

  /** Opens the queue that the owner keeps. */
  async openQueue(options: Parameters<QueueOpener>[0]): Promise<OpenedQueue> {
    const { openTabQueue } = await loadQueue();
    const join = (ports: TabQueuePorts): void =>
      void this.#line?.owner.queue(this.#key, transfer(ports, [ports.asks, ports.news])).catch(() => {});
    const queue = openTabQueue({ ...options, join });
    this.#queue = queue;
    return queue;
  }

  probe(): void {
    this.#line?.owner.probe(this.#key).catch(() => {});
  }

  /** The owner asks for signs of life as often as failsafes need. */
  setBeat(): void {}

  async close(): Promise<void> {
    await this.#line?.owner.close(this.#key).catch(() => {});
    this.#end(undefined);
  }

  #send(header: MessageHeader, payload: Uint8Array): void {
    const wire = this.#wire;
    if (wire !== undefined) return wire.send(header, payload);
    // Registrations are made again with the next attachment, and what is no call has nobody who waits.
    if (header.type === MessageType.call)
      throw new QiwayError('offline', 'The worker that has the link is being started; nothing was sent.');
  }

  /** The owner has no link, and the app does not wait for one: what is known answers until it has. */
  async #beginsKnown(): Promise<boolean> {
    const start = this.#request.offline === true && (await this.#known.startsOffline(this.robotId));
    if (!start || this.#snapshot?.state === 'online') return false;
    this.#bus.beginsKnown();
    this.#heard.remember();
    return true;
  }

  #takeRequest(port: MessagePort): 'taken' | 'no-owner' {
    const line = this.#line;
    if (line === undefined) return 'no-owner';
    line.owner.answer(transfer(port, [port])).catch(() => {});
    return 'taken';
  }

  async #open(): Promise<void> {
    const { key, snapshot } = await openAtOwner(this.#request, {
      begins: (line) => {
        this.#line = line;
      },
      hear: (line, told) => this.#line === line && this.#hear(told),
      gone: (line) => this.#line === line && this.#ownerGone(),
    });
    this.#key = key;
    this.#queue?.joinAgain();
    this.#hear(snapshot);
  }

  /** An owner whose link is lost is waited for as for a robot. @throws `timeout` */
  async #linked(): Promise<void> {
    if (this.#snapshot?.state === 'online') return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const stop = this.listenSession({ changed: () => this.#snapshot?.state === 'online' && resolve() });
    await within(promise, this.#request, 'The worker found no link to the robot').finally(stop);
  }

  /** @throws when it could not be joined; the attachment is then over */
  async #attach(): Promise<void> {
    const line = this.#line;
    if (line === undefined) throw noOwner();
    const { port1, port2 } = new MessageChannel();
    const { timeoutMs } = this.#request;
    const wire: PlainWire = new PlainWire(messagePortTransport(port1), {
      clock: this.#clock,
      onMessage: (header, payload) => this.#wire === wire && this.#peer.receive(header, payload),
      onClosed: (error) => this.#detached(wire, error),
    });
    const snapshot = await line.owner.attach(this.#key, transfer(port2, [port2]));
    if (snapshot === undefined || this.#state.kind !== 'apart' || this.#line !== line) {
      wire.close('not taken');
      throw noOwner();
    }
    this.#state = { kind: 'joining', wire };
    const before = this.#snapshot;
    this.#bus.begins(snapshot.sessionId, snapshot.robotId);
    try {
      await this.#bus.join();
    } catch (error) {
      wire.close(`not joined in ${timeoutMs} ms`);
      throw error;
    }
    if (this.#wire !== wire) throw noOwner(); // it ended meanwhile
    this.#state = { kind: 'attached', wire };
    // What came meanwhile is newer.
    this.#hear(this.#snapshot === undefined || this.#snapshot === before ? snapshot : this.#snapshot);
  }

  #hear(snapshot: Snapshot): void {
    if (this.#state.kind === 'closed') return;
    const { bus } = this.#heard.told;
    const { loss, told, state } = snapshot;
    const before = this.#snapshot;
    this.#snapshot = snapshot;
    this.#heard.hear(told);
    if (loss !== undefined && before !== undefined && before.sessionId !== snapshot.sessionId)
      this.#loss = { ...loss, reason: reviveError(loss.reason) };
    if (state === 'closed') return this.#end(this.reason);
    if (told.bus !== bus) this.#listeners.robotBusChanged(told.bus);
    if (snapshot.rttMs !== undefined && snapshot.rttMs !== before?.rttMs) this.#listeners.rttMeasured(snapshot.rttMs);
    this.#listeners.changed();
    if (state === 'online') void this.#attachAgain();
  }

  /** The attachment ended, by the owner or with it. */
  #detached(wire: PlainWire, error: QiwayError): void {
    if (this.#wire !== wire) return;
    this.#letGo(error, false);
    void this.#attachAgain();
  }

  #ownerGone(): void {
    const { kind } = this.#state;
    if (kind === 'closed') return;
    const reason = new QiwayError('link-lost', 'The worker that had the link ended; it is started again.', {
      data: { reason: 'worker gone' },
    });
    this.#line = undefined;
    this.#queue?.lost();
    const wire = this.#wire;
    this.#letGo(reason, false);
    wire?.close('its owner is gone');
    void this.#attachAgain();
  }

  /** What was asked of the owner is lost; what can go on waits for the next attachment. */
  #letGo(reason: QiwayError, isAside: boolean): void {
    if (this.#state.kind === 'closed') return;
    const wasAttached = this.#wire !== undefined;
    this.#state = { kind: 'apart', reason, isAside };
    if (!wasAttached) return;
    const { calls, objects } = this.#peer.renew(reason, new Set());
    this.#bus.ends();
    if (calls + objects > 0) this.#loss = { reason, calls, objects };
    this.#listeners.changed();
  }

  /** The page goes, perhaps into the cache. The owner lets go of what is this tab's, before its lock can tell. */
  #putAside(): void {
    const wire = this.#wire;
    const line = this.#line;
    this.#line = undefined;
    this.#queue?.lost();
    const reason = new QiwayError('link-lost', 'The page was put aside.', { data: { reason: 'page hidden' } });
    this.#letGo(reason, true);
    line?.end();
    wire?.close('the page goes');
  }

  async #comeBack(): Promise<void> {
    if (this.#state.kind !== 'apart' || !this.#state.isAside) return;
    this.#state = { ...this.#state, isAside: false };
    await this.#attachAgain();
  }

  /** Until it is attached, or closed, or put aside; and not before the owner has a link. */
  async #attachAgain(): Promise<void> {
    if (this.#isAttaching) return;
    this.#isAttaching = true;
    for (let tries = 0; this.#state.kind === 'apart' && !this.#state.isAside; tries += 1) {
      if (this.#line !== undefined && this.#snapshot?.state !== 'online') break;
      try {
        await pauseBefore(tries, this.#clock);
        if (this.#line === undefined) await this.#open();
        await this.#attach();
      } catch (thrown) {
        this.#failed(asQiwayError(thrown));
      }
    }
    this.#isAttaching = false;
  }

  #failed(error: QiwayError): void {
    if (this.#state.kind !== 'apart') return;
    if (isFinal(error) || error.code === 'robot-identity-mismatch') this.#end(error);
    else this.#state = { ...this.#state, reason: error };
  }

  /** @param error undefined: closed here */
  #end(error: QiwayError | undefined): void {
    if (this.#state.kind === 'closed') return;
    const wire = this.#wire;
    this.#state = { kind: 'closed', reason: error };
    for (const stop of this.#stops) stop();
    const reason = error ?? new QiwayError('closed', 'The robot was closed.');
    this.#peer.close(reason);
    wire?.close('closed');
    this.#line?.end();
    this.#listeners.changed();
    this.#closing.resolve(error);
  }
}
