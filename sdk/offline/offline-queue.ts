// The calls that wait for one robot: taken in, kept, made in order of each service when it is this tab's turn, settled.
// Knows a store, a port to the session and its siblings in other tabs; nothing of links.
import { NO_OBJECTS, type Payload } from '@qiway/protocol/bus/bus';
import type { Clock } from '@qiway/protocol/clock';
import { QiwayError, reviveError } from '@qiway/protocol/errors';
import type { QueuedCall } from '@qiway/protocol/objects/remote';
import { CallShelf } from './call-shelf.ts';
import type { FlushTurn } from './flush-turn.ts';
import { Flusher } from './flusher.ts';
import type { CallMaker } from './make-call.ts';
import { madeElsewhere, type QueueNews, shown } from './queue-news.ts';
import { checkRoom, QUEUE_LIMITS, type QueueLimits } from './queue-room.ts';
import type { QueueChange, QueueEntry, QueuePort, QueueStore, StoredCall } from './queue-types.ts';
import { describeArguments, WaitingCall } from './waiting-call.ts';

export interface OfflineQueueOptions {
  readonly robotId: string;
  readonly port: QueuePort;
  readonly maker: CallMaker;
  readonly turn: FlushTurn;
  readonly store: QueueStore | undefined;
  readonly clock: Clock;
  /** Milliseconds since 1970. */
  readonly today: () => number;
  /** Random text of 32 characters. */
  readonly newId: () => string;
  readonly tell: (news: QueueNews) => void;
  readonly onChange: (change: QueueChange) => void;
  readonly onError: (error: unknown) => void;
  readonly limits?: QueueLimits;
}

/** How long news of another tab may be on their way after its turn, ms. */
const NEWS_MS = 1_000;
/** Longest sleep of a timer: the calendar may be set, and machines sleep. */
const LOOK_MS = 60_000;

export class OfflineQueue {
  readonly #options: OfflineQueueOptions;
  readonly #calls = new Map<string, WaitingCall>();
  readonly #shelf: CallShelf;
  readonly #flusher: Flusher;
  /** One after the other, so that positions follow the order of calls. */
  #storing: Promise<void> = Promise.resolve();
  #stopTimer: () => void = () => {};
  #isClosed = false;

  constructor(options: OfflineQueueOptions) {
    this.#options = options;
    this.#shelf = new CallShelf(options);
    const { port, maker, turn, clock } = options;
    this.#flusher = new Flusher({
      port,
      maker,
      turn,
      clock,
      calls: this.#calls,
      reload: () => this.#reload(true),
      changed: (call, kind) => this.#told(call, kind),
      store: (call, stored) => this.#shelf.update(call, stored),
      expire: (call) => this.#expireIfLate(call),
      done: (call, payload) => this.#done(call, payload),
      failed: (call, error) => this.#end(call, 'failed', error),
      onError: options.onError,
    });
  }

  /** Do calls survive a reload of the page? */
  get isDurable(): boolean {
    return this.#shelf.isDurable;
  }

  get length(): number {
    return this.#calls.size;
  }

  /** Reads what earlier pages left, and begins to make calls. Never rejects. */
  async open(): Promise<void> {
    await this.#reload(false);
    this.#flusher.kick();
  }

  list(): QueueEntry[] {
    return this.#ordered().map(({ entry }) => entry);
  }

  /** False: there is none of that id, or another tab is making it. A call under way is asked to stop. */
  cancel(id: string): boolean {
    const call = this.#calls.get(id);
    if (call === undefined || call.state === 'elsewhere') {
      if (call !== undefined) this.#options.tell({ kind: 'cancel', id });
      return false;
    }
    if (call.isWaiting) void this.#end(call, 'canceled', call.failed('canceled', 'was taken out of the queue.'));
    else call.stop?.();
    return true;
  }

  /** @throws what the call came to; `limit-exceeded`, `expired`, `superseded`, `canceled`, `closed` */
  async enqueue(queued: QueuedCall): Promise<Payload> {
    const { signal, policy } = queued;
    if (this.#isClosed) throw new QiwayError('closed', 'The robot was closed; connect again.');
    if (signal?.aborted === true) throw new QiwayError('canceled', 'The call was cancelled.', { cause: signal.reason });
    const same = this.#sameKind(queued);
    const joined = policy.kind === 'queue' ? same[0] : undefined;
    const displaced = policy.kind === 'latest' ? same : [];
    const call = joined ?? this.#take(queued, displaced);
    for (const old of displaced)
      void this.#end(old, 'failed', old.failed('superseded', 'waited, and a newer one took its place.'));
    const outcome = call.wait();
    if (signal === undefined) return outcome;
    const abort = (): void => void this.cancel(call.stored.id);
    signal.addEventListener('abort', abort, { once: true });
    return outcome.finally(() => signal.removeEventListener('abort', abort));
  }

  /** News of another tab. */
  hear(news: QueueNews): void {
    if (this.#isClosed) return;
    if (news.kind === 'queued') {
      if (this.#adopt(news.call)) this.#flusher.kick();
      return;
    }
    const call = this.#calls.get(news.id);
    if (call === undefined) return;
    switch (news.kind) {
      case 'cancel':
        if (call.state !== 'elsewhere') this.cancel(news.id);
        return;
      case 'sending':
      case 'waiting':
        if (call.state === 'sending') return; // by this tab; the agent sees one key
        call.state = news.kind === 'sending' ? 'elsewhere' : 'waiting';
        this.#change(call, news.kind);
        if (news.kind === 'waiting') this.#flusher.kick();
        return;
      case 'done':
        if (news.result === undefined) return this.#forget(call, 'failed', madeElsewhere(call));
        return this.#resolve(call, { ...news.result, objects: [] });
      default:
        this.#forget(call, news.kind, reviveError(news.error));
    }
  }

  /** The page is put aside, and may never come back: whoever is there makes the calls. */
  suspend(): void {
    this.#flusher.suspend();
  }

  resume(): void {
    this.#flusher.resume();
  }

  /** Who waits is told; calls in a store stay there, for the next page. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#stopTimer();
    this.#flusher.close();
    for (const call of this.#calls.values())
      call.reject(
        call.failed(
          'closed',
          call.isDurable || (call.state === 'storing' && this.#shelf.isDurable)
            ? 'still waits: the robot was closed here, and it is made when a page connects again in time.'
            : 'was given up: the robot was closed.',
        ),
      );
  }

  #take(
    { service, method, payload, args, shownArgs, memberClass, policy, timeoutMs }: QueuedCall,
    displaced: readonly WaitingCall[],
  ): WaitingCall {
    const { robotId, today, newId } = this.#options;
    const call = new WaitingCall({
      order: 0,
      id: newId(),
      robot: robotId,
      service,
      method,
      signature: payload.signature,
      bytes: payload.bytes.slice(),
      hasNull: payload.objects !== NO_OBJECTS,
      memberClass,
      kind: policy.kind,
      key: policy.key,
      ttlMs: policy.ttlMs,
      timeoutMs,
      queuedAtMs: today(),
      args: shownArgs ?? describeArguments(args),
      wasSent: false,
      journal: undefined,
    });
    const others = [...this.#calls.values()].filter((each) => !displaced.includes(each));
    checkRoom(call, { others, limits: this.#options.limits ?? QUEUE_LIMITS });
    call.state = 'storing';
    this.#calls.set(call.stored.id, call);
    this.#change(call, 'queued');
    this.#storing = this.#storing.then(() => this.#keep(call));
    this.#setTimer();
    return call;
  }

  async #keep(call: WaitingCall): Promise<void> {
    if (call.state === 'over') return;
    await this.#shelf.add(call);
    // It was taken out meanwhile.
    if ((call.state as WaitingCall['state']) === 'over') return this.#shelf.remove(call);
    call.state = 'waiting';
    if (call.isDurable) this.#options.tell({ kind: 'queued', call: call.stored });
    this.#flusher.kick();
  }

  /** What the store holds, and what other tabs have taken out of it. */
  async #reload(hasTurn: boolean): Promise<void> {
    const known = [...this.#calls.values()].filter(({ isDurable, state }) => isDurable && state !== 'storing');
    const stored = await this.#shelf.load();
    if (stored === undefined) return;
    const ids = new Set(stored.map(({ id }) => id));
    for (const each of stored) this.#adopt(each);
    for (const call of known)
      if (!ids.has(call.stored.id) && call.state !== 'over') {
        call.state = 'elsewhere';
        this.#options.clock.after(NEWS_MS, () => {
          if (call.state === 'elsewhere') this.#forget(call, 'failed', madeElsewhere(call));
        });
      }
      // Whoever was making it has had his turn.
      else if (hasTurn && call.state === 'elsewhere') call.state = 'waiting';
    for (const call of this.#ordered()) this.#expireIfLate(call);
  }

  /** False: it is known, or none of this robot. */
  #adopt(stored: StoredCall): boolean {
    if (stored.robot !== this.#options.robotId || this.#calls.has(stored.id)) return false;
    const call = new WaitingCall(stored);
    call.isDurable = true;
    this.#shelf.saw(stored.order);
    this.#calls.set(stored.id, call);
    this.#change(call, 'queued');
    this.#setTimer();
    return true;
  }

  #sameKind({ service, method, policy: { kind, key } }: QueuedCall): WaitingCall[] {
    if (kind === 'queue' && key === undefined) return [];
    return [...this.#calls.values()].filter(({ isWaiting, stored }) => {
      if (!isWaiting || stored.kind !== kind || stored.service !== service || stored.key !== key) return false;
      return stored.method === method || (kind === 'latest' && key !== undefined);
    });
  }

  #expireIfLate(call: WaitingCall): boolean {
    if (!call.isWaiting || call.expiresAtMs > this.#options.today()) return false;
    void this.#end(
      call,
      'expired',
      call.failed('expired', `waited longer than ${call.stored.ttlMs} ms for the robot.`),
    );
    return true;
  }

  #setTimer(): void {
    this.#stopTimer();
    const waiting = [...this.#calls.values()].filter(({ isWaiting }) => isWaiting);
    if (waiting.length === 0 || this.#isClosed) return;
    const nextMs = Math.min(...waiting.map(({ expiresAtMs }) => expiresAtMs)) - this.#options.today();
    this.#stopTimer = this.#options.clock.after(Math.max(0, Math.min(nextMs, LOOK_MS)), () => {
      for (const call of this.#ordered()) this.#expireIfLate(call);
      this.#setTimer();
    });
  }

  async #done(call: WaitingCall, payload: Payload): Promise<void> {
    const { id } = call.stored;
    const { signature, bytes, objects } = payload;
    // From here on nobody makes it again, whatever becomes of this page.
    await this.#shelf.remove(call);
    if (call.isDurable)
      this.#options.tell({
        kind: 'done',
        id,
        ...(objects.length === 0 && { result: { signature, bytes: bytes.slice() } }),
      });
    this.#resolve(call, payload);
  }

  #resolve(call: WaitingCall, payload: Payload): void {
    call.state = 'over';
    this.#calls.delete(call.stored.id);
    const result = shown(payload);
    call.resolve(payload);
    this.#change(call, 'done', result);
    this.#setTimer();
  }

  async #end(call: WaitingCall, kind: 'failed' | 'expired' | 'canceled', error: QiwayError): Promise<void> {
    const { id } = call.stored;
    const isStored = call.state !== 'storing';
    this.#forget(call, kind, error);
    if (!isStored) return;
    await this.#shelf.remove(call);
    if (call.isDurable) this.#options.tell({ kind, id, error: error.toJSON() });
  }

  #forget(call: WaitingCall, kind: 'failed' | 'expired' | 'canceled', error: QiwayError): void {
    call.state = 'over';
    this.#calls.delete(call.stored.id);
    call.reject(error);
    this.#change(call, kind, { error });
    this.#setTimer();
  }

  #told(call: WaitingCall, kind: 'sending' | 'waiting'): void {
    if (call.isDurable) this.#options.tell({ kind, id: call.stored.id });
    this.#change(call, kind);
    this.#setTimer();
  }

  #change(call: WaitingCall, kind: QueueChange['kind'], more: Partial<QueueChange> = {}): void {
    this.#options.onChange({ kind, entry: call.entry, ...more });
  }

  #ordered(): WaitingCall[] {
    const place = ({ state, stored }: WaitingCall): number => (state === 'storing' ? Number.MAX_VALUE : stored.order);
    return [...this.#calls.values()].sort((one, other) => place(one) - place(other));
  }
}
