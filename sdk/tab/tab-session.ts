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
import type { PlainWire } from '@qiway/protocol/session/plain-wire';
import { SessionListeners } from '@qiway/protocol/session/session-listeners';
import { isFinal } from '@qiway/protocol/session/why-lost';
import { type MessageHeader, MessageType } from '@qiway/protocol/wire/message';
import type { LinkFacts, RobotSession } from '../dial/dial.ts';
import { probeWithPage, thisPage } from '../dial/page-probes.ts';
import { listenForGateway } from '../gateway/listen-for-gateway.ts';
import { type KnownRobot, openKnownRobot } from '../metaobjects/known-robot.ts';
import type { OpenedQueue } from '../offline/open-queue.ts';
import type { QueueOpener } from '../offline/robot-queue.ts';
import { onDemand } from '../on-demand.ts';
import type { Snapshot } from '../owner/owner-port.ts';
import { type MissingAbility, missingAbilities } from '../page-abilities.ts';
import { openAttachment } from './attachment.ts';
import type { FollowOwner, LedSession } from './owner-followers.ts';
import { OwnerSide } from './owner-side.ts';
import { followTabLife } from './tab-life.ts';
import {
  noOwner,
  onceOnline,
  ownerGone,
  pageAside,
  pauseBefore,
  type State,
  type TabSessionRequest,
} from './tab-state.ts';
import { wireFlow } from './wire-flow.ts';

/**
 * Joins the session that the worker of this origin has with the robot, or has it make one.
 * @throws `unsupported` where there is no worker; as `OpenRobotSession`
 */
export async function openTabSession(request: TabSessionRequest): Promise<LedSession> {
  const session = new TabSession(request);
  await session.begin();
  return session;
}

class TabSession implements LedSession {
  readonly owner = 'worker';
  readonly missing: readonly MissingAbility[] = missingAbilities();
  readonly url: string;
  readonly followOwner: FollowOwner;
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
  readonly #side: OwnerSide;
  #snapshot: Snapshot | undefined;
  #state: State = { kind: 'apart', reason: undefined, isAside: false };
  #loss: Loss | undefined;
  #isAttaching = false;
  /** Of a page that is put aside. */
  #shown: PromiseWithResolvers<void> | undefined;
  #timesAside = 0;
  #hasJoined = false;

  constructor(request: TabSessionRequest) {
    this.#request = request;
    this.url = request.agent.shown;
    this.#side = new OwnerSide({
      request,
      onNews: (snapshot) => this.#hear(snapshot),
      onGone: () => this.#ownerGone(),
    });
    this.followOwner = this.#side.follow;
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

  get machineId(): string {
    return this.#bus.needed().machineId;
  }

  get #isOwnerOnline(): boolean {
    return this.#snapshot?.state === 'online';
  }

  get #wire(): PlainWire | undefined {
    return 'wire' in this.#state ? this.#state.wire : undefined;
  }

  async begin(): Promise<void> {
    this.#isAttaching = true;
    const page = thisPage();
    if (page !== undefined)
      this.#stops.push(
        followTabLife({ window: page.window, away: () => this.#putAside(), back: () => void this.#comeBack() }),
      );
    try {
      while (!(await this.#begins())) await this.#shown?.promise;
    } catch (error) {
      this.#end(asQiwayError(error));
      throw error;
    } finally {
      this.#isAttaching = false;
    }
    if (page === undefined) return;
    this.#stops.push(probeWithPage(this, page));
    this.#stops.push(listenForGateway((port) => (this.#side.line?.passOn(port) === true ? 'taken' : 'no-owner')));
  }

  /** False: the page was put aside, and begins anew when it is back. */
  async #begins(): Promise<boolean> {
    const timesAside = this.#timesAside;
    try {
      await this.#side.open();
      if (await this.#beginsKnown()) return true;
      const { clock, timeoutMs } = this.#request;
      await onceOnline(this, () => this.#isOwnerOnline, { clock, timeoutMs, over: this.#side.line?.over });
      await this.#attach();
      return true;
    } catch (error) {
      if (this.#timesAside !== timesAside) return false;
      throw this.#state.kind === 'closed' ? (this.#state.reason ?? error) : error;
    }
  }

  services(): Promise<readonly ServiceInfo[]> {
    return this.#bus.needed().services();
  }

  service(name: string): Promise<BusObject> {
    return this.#bus.needed().service(name);
  }

  serviceInfo(name: string): Promise<ServiceInfo> {
    return this.#bus.needed().serviceInfo(name);
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

  openQueue(options: Parameters<QueueOpener>[0]): Promise<OpenedQueue> {
    return this.#side.openQueue(options);
  }

  probe(): void {
    this.#side.line?.probe();
  }

  /** The owner asks for signs of life as often as failsafes need. */
  setBeat(): void {}

  async close(): Promise<void> {
    await this.#side.line?.close();
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
    if (!start || this.#isOwnerOnline) return false;
    this.#bus.beginsKnown();
    this.#heard.remember();
    return true;
  }

  /** @throws when it could not be joined; the attachment is then over */
  async #attach(): Promise<void> {
    const line = this.#side.line;
    if (line === undefined) throw noOwner();
    let wire: PlainWire;
    try {
      wire = await openAttachment(line, {
        clock: this.#clock,
        onMessage: (from, header, payload) => this.#wire === from && this.#peer.receive(header, payload),
        onClosed: (from, error) => this.#detached(from, error),
      });
    } finally {
      if (!line.isOpen) this.#side.leave(line);
    }
    if (this.#state.kind !== 'apart' || this.#side.line !== line) {
      wire.close('not wanted any more');
      throw noOwner();
    }
    this.#state = { kind: 'joining', wire };
    this.#bus.begins(this.sessionId, this.robotId);
    try {
      await this.#bus.join();
    } catch (error) {
      wire.close('not joined');
      throw error;
    }
    if (this.#wire !== wire) throw noOwner(); // it ended meanwhile
    this.#state = { kind: 'attached', wire };
    this.#listeners.changed();
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
    this.#leaveOwner(ownerGone(), false);
    void this.#attachAgain();
  }

  /** The page goes, perhaps into the cache. The owner lets go of what is this tab's, before its lock can tell. */
  #putAside(): void {
    this.#timesAside += 1;
    this.#shown ??= Promise.withResolvers();
    this.#leaveOwner(pageAside(), true);
  }

  #leaveOwner(reason: QiwayError, isAside: boolean): void {
    const wire = this.#wire;
    this.#letGo(reason, isAside);
    this.#side.leave();
    wire?.close(isAside ? 'the page goes' : 'its owner is gone');
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

  async #comeBack(): Promise<void> {
    if (this.#state.kind !== 'apart' || !this.#state.isAside) return;
    this.#state = { ...this.#state, isAside: false };
    this.#shown?.resolve();
    this.#shown = undefined;
    await this.#attachAgain();
  }

  /** Until it is attached, or closed, or put aside; and not before the owner has a link. */
  async #attachAgain(): Promise<void> {
    if (this.#isAttaching) return;
    this.#isAttaching = true;
    for (let tries = 0; this.#state.kind === 'apart' && !this.#state.isAside; tries += 1) {
      if (this.#side.line !== undefined && !this.#isOwnerOnline) break;
      try {
        await pauseBefore(tries, this.#clock);
        if (this.#side.line === undefined) await this.#side.open();
        if (this.#isOwnerOnline) await this.#attach();
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
    if (error === undefined) void this.#bus.now?.close();
    for (const stop of this.#stops) stop();
    const reason = error ?? new QiwayError('closed', 'The robot was closed.');
    this.#peer.close(reason);
    wire?.close('closed');
    this.#side.end();
    this.#listeners.changed();
    this.#closing.resolve(error);
  }
}
