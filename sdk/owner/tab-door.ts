// One tab on one robot, at the owner's side: serves it what the session has, and lets go of all that when the tab is gone.
// See docs/browser.md, "Attachment". It knows no ports and no locks.
import { type BusObject, NO_OBJECTS } from '@qiway/protocol/bus/bus';
import { callObject } from '@qiway/protocol/bus/call';
import { demandOf } from '@qiway/protocol/bus/demand';
import { EventFlows } from '@qiway/protocol/bus/event-flow';
import { Peer } from '@qiway/protocol/bus/peer';
import { serving } from '@qiway/protocol/bus/serving';
import { SET_FLOW, SET_FLOW_SIGNATURE } from '@qiway/protocol/bus/set-flow';
import type { Clock } from '@qiway/protocol/clock';
import { fetchObject } from '@qiway/protocol/directory/fetch-object';
import { QiwayError } from '@qiway/protocol/errors';
import { Lateness } from '@qiway/protocol/lateness';
import type { ClientSession } from '@qiway/protocol/session/client-session';
import { PlainWire } from '@qiway/protocol/session/plain-wire';
import type { Transport } from '@qiway/protocol/session/transport';
import { atOnce } from '@qiway/protocol/session/turn';
import { watchSilence } from '@qiway/protocol/silence';
import { decodeValue, encodeValue } from '@qiway/protocol/wire/value';
import { Holdings } from './holdings.ts';
import { tabGuard } from './tab-guard.ts';
import { type Taking, WatchedObject } from './watched-object.ts';

export type DoorSession = Pick<ClientSession, 'own' | 'bus' | 'classes'>;

export interface TabDoorOptions {
  readonly session: DoorSession;
  readonly clock: Clock;
  readonly random: (count: number) => Uint8Array;
  /** How often the session is to give a sign of life for what the tab holds, ms; undefined: as the agent asks. */
  readonly onBeat: (everyMs: number | undefined) => void;
  /** The tab is gone: without a word, or because it said so. */
  readonly onEnded: () => void;
}

const OWN_OBJECT = 0;
const DIRECTORY = 1;
const SERVICE: Taking = { take: 'registerService', giveBack: 'unregisterService', about: ['serviceReady'] };
const FAILSAFE: Taking = { take: 'setFailsafe', giveBack: 'clearFailsafe', about: ['tellSilence'] };
const LEASE: Taking = { take: 'takeLease', giveBack: 'dropLease' };
/** Of a tab that is asked what its service is. */
const TIMEOUT_MS = 10_000;
/** Over links that break: what the agent is told of a tab that is gone or silent. Longer than any failsafe waits by itself. */
const TELL_TIMEOUT_MS = 90_000;
/** Signs of life in the time of a failsafe, of the tab and of the session: one may be late. */
const BEATS = 3;
/** The agent ends a lease after 3 s of silence. */
const LEASE_MS = 3_000;
/** Is a tab there that nobody else can tell about? */
const PING_MS = 5_000;
const GONE_AFTER_MS = 15_000;
/** Events that wait for a tab: half of what a link keeps, as there may be many tabs. */
const EVENT_BUDGET_BYTES = 8 * 1024 * 1024;

export class TabDoor {
  readonly #options: TabDoorOptions;
  readonly #wire: PlainWire;
  readonly #peer: Peer;
  readonly #flows: EventFlows;
  readonly #objects = new Map<number, BusObject | Promise<BusObject>>();
  readonly #holdings = new Holdings();
  readonly #lateness: Lateness;
  readonly #listeners = new Set<{ heard?(): void }>();
  #stopPings: () => void = () => {};
  /** For how long nobody may be silent, by failsafe and lease. */
  readonly #bounds = new Map<string, number>();
  #awakeSinceMs = Number.NEGATIVE_INFINITY;
  #isWanted = false;
  #isEnded = false;

  /** To be made in the turn in which the transport was obtained. */
  constructor(transport: Transport, options: TabDoorOptions) {
    this.#options = options;
    const { clock, random } = options;
    this.#lateness = new Lateness(clock);
    this.#wire = new PlainWire(transport, {
      clock,
      schedule: atOnce,
      onMessage: (header, payload) => this.#peer.receive(header, payload),
      onClosed: () => this.end({ isWanted: this.#isWanted }),
      onHeard: () => {
        for (const listener of [...this.#listeners]) listener.heard?.();
      },
    });
    this.#flows = new EventFlows({ flow: this.#wire, clock, budgetBytes: EVENT_BUDGET_BYTES });
    this.#peer = new Peer({
      send: (header, payload) => this.#wire.send(header, payload),
      serving: serving({
        services: (id) => this.#serve(id),
        errors: 'record',
        events: this.#flows,
        guard: tabGuard(options.session, this.#lateness),
      }),
      randomUid: () => random(20),
    });
    this.#ping();
  }

  /** When something last came from the tab, on the clock given. */
  get lastHeardMs(): number {
    return this.#wire.lastHeardMs;
  }

  listen(listener: { heard?(): void }): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The app ends it in order: when the tab goes now, that is no accident. */
  goodbye(): void {
    this.#isWanted = true;
  }

  /** Lets go of everything. `isWanted`: by the app, in order; else failsafes fire. Idempotent. */
  end({ isWanted }: { readonly isWanted: boolean }): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#stopPings();
    this.#wire.close('ended by the owner');
    // Before calls are given up: a robot that moves is stopped first.
    this.#holdings.endAll(isWanted);
    this.#peer.close(new QiwayError('link-lost', 'The tab is gone.', { data: { reason: 'tab gone' } }));
    this.#flows.close();
    for (const object of this.#objects.values()) void release(object);
    this.#objects.clear();
    this.#options.onEnded();
  }

  #serve(serviceId: number): BusObject | Promise<BusObject> {
    const known = this.#objects.get(serviceId);
    if (known !== undefined) return known;
    const fetching = this.#fetch(serviceId).then(
      (object) => {
        // After the end it is released there, where this promise is waited for.
        if (this.#isEnded) return object;
        this.#objects.set(serviceId, object);
        object.onGone((error) => this.#gone(serviceId, object, error));
        return object;
      },
      (error) => {
        this.#objects.delete(serviceId);
        throw error;
      },
    );
    fetching.catch(() => {});
    this.#objects.set(serviceId, fetching);
    return fetching;
  }

  #gone(serviceId: number, object: BusObject, error: QiwayError): void {
    if (this.#objects.get(serviceId) !== object) return;
    this.#objects.delete(serviceId);
    this.#peer.stopServing(serviceId, error);
  }

  async #fetch(serviceId: number): Promise<BusObject> {
    const { session } = this.#options;
    if (serviceId === OWN_OBJECT) {
      const own = await session.own();
      own.retain();
      return this.#watchedObject(own, [FAILSAFE, LEASE]);
    }
    const object = await session.bus.object(serviceId);
    return serviceId === DIRECTORY ? this.#watchedObject(object, [SERVICE]) : object;
  }

  #watchedObject(inner: BusObject, takings: readonly Taking[]): BusObject {
    return new WatchedObject(inner, {
      takings,
      taken: (taking, id, first) => this.#taken({ inner, taking, id, first }),
      givenBack: ({ take }, id) => this.#holdings.forget(take, id),
      isHeld: ({ take }, id) => this.#holdings.has(take, id),
      post: (action, { bytes }) => {
        if (takings[0] === SERVICE || action !== SET_FLOW) return false;
        const [service, object, signal, policy, maxHz] = decodeValue(SET_FLOW_SIGNATURE, bytes) as [
          number,
          number,
          number,
          string,
          number,
        ];
        this.#flows.set({ service, object, signal }, demandOf(policy, maxHz));
        return true;
      },
    });
  }

  #taken({
    inner,
    taking,
    id,
    first,
  }: {
    inner: BusObject;
    taking: Taking;
    id: number;
    first: number | undefined;
  }): void {
    const giveBack = (): void => this.#tell(inner, taking.giveBack, [id]);
    let end = (_isWanted: boolean): void => giveBack();
    let forget = (): void => {};
    if (taking === SERVICE) forget = this.#lend(id);
    else if (taking === LEASE) forget = this.#bound(`lease ${id}`, LEASE_MS);
    else {
      forget = this.#watch(inner, id, first ?? 0);
      end = (isWanted) => {
        if (!isWanted) this.#tell(inner, 'tellSilence', [id, true]);
        giveBack();
      };
    }
    this.#holdings.add(taking.take, id, { forget, end });
    // It came too late: nobody is there to give it back.
    if (this.#isEnded) this.#holdings.endAll(false);
  }

  /** Those who call the service come to the tab; returns how to stop. */
  #lend(id: number): () => void {
    const { session, clock } = this.#options;
    let lent: Promise<BusObject> | BusObject | undefined;
    const stop = session.bus.lend(id, () => {
      lent ??= fetchObject(this.#peer, id, { clock, timeoutMs: TIMEOUT_MS }).then(
        (object) => (lent = object),
        (error) => {
          lent = undefined;
          throw error;
        },
      );
      return lent;
    });
    return () => {
      stop();
      if (lent !== undefined) void release(lent);
    };
  }

  /** Tells the agent when the tab falls silent, and when it is heard again; returns how to stop. */
  #watch(own: BusObject, id: number, afterMs: number): () => void {
    const tell = (isSilent: boolean): void => this.#tell(own, 'tellSilence', [id, isSilent]);
    const stop = watchSilence(this, {
      clock: this.#options.clock,
      afterMs,
      silent: () => {
        this.#lateness.begin();
        tell(true);
      },
      heardAgain: () => {
        this.#lateness.heard();
        tell(false);
      },
    });
    const unbound = this.#bound(`failsafe ${id}`, afterMs);
    return () => {
      stop();
      unbound();
    };
  }

  /** Somebody holds something for which silence is counted; returns how to end that. */
  #bound(name: string, silenceMs: number): () => void {
    const change = (): void => {
      const beatMs = this.#beatMs();
      this.#options.onBeat(Number.isFinite(beatMs) ? beatMs : undefined);
      this.#stopPings();
      this.#ping();
    };
    this.#bounds.set(name, silenceMs);
    change();
    return () => {
      if (this.#bounds.delete(name)) change();
    };
  }

  #beatMs(): number {
    return Math.max(1, Math.floor(Math.min(...this.#bounds.values()) / BEATS));
  }

  /** A hidden tab answers, although its timers hardly run. */
  #ping(dueMs = this.#options.clock.now()): void {
    if (this.#isEnded) return;
    const { clock } = this.#options;
    const nowMs = clock.now();
    // The computer slept, or this worker hung: what the tab said meanwhile is not read yet.
    if (nowMs - dueMs > PING_MS) this.#awakeSinceMs = nowMs;
    if (nowMs - Math.max(this.#wire.lastHeardMs, this.#awakeSinceMs) > GONE_AFTER_MS)
      return this.end({ isWanted: false });
    this.#wire.ping();
    const everyMs = Math.min(PING_MS, this.#beatMs());
    this.#stopPings = clock.after(everyMs, () => this.#ping(nowMs + everyMs));
  }

  /** What nobody waits for: if the agent cannot be told, it has its own rules for who is silent. */
  #tell(object: BusObject, member: string, args: readonly unknown[]): void {
    const method = [...object.metaObject.methods.values()].find(({ name }) => name === member);
    if (method === undefined) return;
    const signature = method.parametersSignature;
    const payload = { signature, bytes: encodeValue(signature, args), objects: NO_OBJECTS };
    const limit = { clock: this.#options.clock, timeoutMs: TELL_TIMEOUT_MS };
    callObject(object, { action: method.uid, payload }, limit).catch(() => {});
  }
}

async function release(object: BusObject | Promise<BusObject>): Promise<void> {
  try {
    (await object).release();
  } catch {
    // It was never there.
  }
}
