// A simulated cable between a client and an agent: two transports with delay, bounded speed, and all the ways a network
// has to break. Support of the tests; it carries messages and does not read them.
import type { CloseCode, Transport, TransportListener } from '../../protocol/session/transport.ts';
import { joined } from '../../protocol/transport/joined.ts';
import type { Chance } from './chance.ts';
import { describeBatch } from './describe-batch.ts';
import type { SimClock } from './sim-clock.ts';

/** Bytes above which `send` says to wait. */
const HIGH_WATER = 128 * 1024;

export type Side = 'client' | 'agent';

/** What a test may do to messages to prove that its checker sees it: none, or several, go on in place of one. */
export type Tamper = (message: Uint8Array, to: Side) => readonly Uint8Array[];

export interface CableOptions {
  readonly id: number;
  readonly clock: SimClock;
  readonly chance: Chance;
  /** Of one message, each way, without waiting for those before. */
  readonly delayMs: () => number;
  /** A message has arrived after so long. */
  readonly delayed: (delayMs: number) => void;
  readonly tamper?: Tamper | undefined;
  /** Around the moment in which a message is handed over. */
  readonly delivering: (cable: Cable | undefined) => void;
  readonly trace: (line: () => string) => void;
  readonly route?: Transport['route'];
}

/** One direction. */
class Lane {
  readonly #to: Side;
  readonly #cable: Cable;
  readonly #options: CableOptions;
  /** Not given to the network yet. */
  readonly #waiting: { readonly message: Uint8Array; readonly sentAt: number }[] = [];
  #waitingBytes = 0;
  readonly #flying: { readonly message: Uint8Array; isLost: boolean }[] = [];
  #lastArrival = 0;
  /** Bytes a millisecond; 0: nothing moves. */
  #speed = Number.POSITIVE_INFINITY;
  #stopDeparture: (() => void) | undefined;
  #wantsDrain = false;
  /** Everything sent from now on disappears. */
  isSwallowing = false;
  /** The end that hears; undefined when it listens no more. */
  listener: TransportListener | undefined;
  /** What the sending end is told when there is room. */
  drained: () => void = () => {};

  constructor(cable: Cable, to: Side) {
    this.#cable = cable;
    this.#to = to;
    this.#options = cable.options;
  }

  get bufferedBytes(): number {
    return this.#waitingBytes;
  }

  /** Nothing arrives before. */
  notBefore(atMs: number): void {
    this.#lastArrival = Math.max(this.#lastArrival, atMs);
  }

  send(message: Uint8Array): boolean {
    if (this.isSwallowing) return true;
    this.#waiting.push({ message, sentAt: this.#options.clock.now() });
    this.#waitingBytes += message.length;
    this.#depart();
    const hasRoom = this.#waitingBytes < HIGH_WATER;
    if (!hasRoom) this.#wantsDrain = true;
    return hasRoom;
  }

  setSpeed(bytesPerMs: number): void {
    this.#speed = bytesPerMs;
    this.#stopDeparture?.();
    this.#stopDeparture = undefined;
    this.#depart();
  }

  /** The first `kept` of what is under way arrive yet, nothing else ever. */
  lose(kept: number): void {
    this.isSwallowing = true;
    this.#waiting.length = 0;
    this.#waitingBytes = 0;
    for (const one of this.#flying.slice(kept)) one.isLost = true;
  }

  get flying(): number {
    return this.#flying.length;
  }

  /** Runs when all that is under way now has arrived. */
  afterLast(more: number, run: () => void): void {
    const { clock } = this.#options;
    clock.after(Math.max(0, this.#lastArrival - clock.now()) + more, run);
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  #depart(): void {
    const { clock } = this.#options;
    while (this.#waiting.length > 0 && this.#stopDeparture === undefined && this.#speed > 0) {
      if (this.#speed === Number.POSITIVE_INFINITY) {
        this.#launch();
        continue;
      }
      const next = this.#waiting[0] as { readonly message: Uint8Array };
      this.#stopDeparture = clock.after(next.message.length / this.#speed, () => {
        this.#stopDeparture = undefined;
        if (this.#waiting.length > 0) this.#launch();
        this.#depart();
        this.#tellRoom();
      });
    }
    if (this.#speed === Number.POSITIVE_INFINITY && this.#wantsDrain) clock.after(0, () => this.#tellRoom());
  }

  #tellRoom(): void {
    if (!this.#wantsDrain || this.#waitingBytes >= HIGH_WATER / 2) return;
    this.#wantsDrain = false;
    this.drained();
  }

  #launch(): void {
    const { clock, delayMs, delayed } = this.#options;
    const { message, sentAt } = this.#waiting.shift() as { readonly message: Uint8Array; readonly sentAt: number };
    this.#waitingBytes -= message.length;
    const one = { message, isLost: false };
    this.#flying.push(one);
    this.#lastArrival = Math.max(this.#lastArrival, clock.now() + delayMs());
    clock.after(this.#lastArrival - clock.now(), () => {
      this.#flying.splice(this.#flying.indexOf(one), 1);
      if (one.isLost) return;
      delayed(clock.now() - sentAt);
      this.#arrive(message);
    });
  }

  #arrive(message: Uint8Array): void {
    const { tamper, delivering, trace, id } = this.#options;
    for (const each of tamper?.(message, this.#to) ?? [message]) {
      if (this.listener === undefined) return;
      trace(() => `cable ${id} > ${this.#to}: ${each.length} bytes: ${describeBatch(each)}`);
      delivering(this.#cable);
      this.listener.message(each);
      delivering(undefined);
    }
  }
}

export class Cable {
  readonly options: CableOptions;
  readonly id: number;
  readonly client: Transport;
  readonly agent: Transport;
  readonly #lanes: Readonly<Record<Side, Lane>>;
  #state: 'whole' | 'broken' | 'closed' = 'whole';

  constructor(options: CableOptions) {
    this.options = options;
    this.id = options.id;
    this.#lanes = { client: new Lane(this, 'client'), agent: new Lane(this, 'agent') };
    this.client = this.#end('client');
    this.agent = this.#end('agent');
  }

  get isWhole(): boolean {
    return this.#state === 'whole';
  }

  /** Nothing is wrong with it, as far as one can see from above. */
  get isSound(): boolean {
    return this.#state === 'whole' && !this.#lanes.client.isSwallowing && !this.#lanes.agent.isSwallowing;
  }

  /** What is sent to that side arrives no earlier: it does not listen yet. */
  notBefore(to: Side, atMs: number): void {
    this.#lanes[to].notBefore(atMs);
  }

  /** Of what is under way a part arrives yet; each end is told after a while, or never. */
  cut(): void {
    if (this.#state !== 'whole') return;
    this.#state = 'broken';
    const { chance, trace, id } = this.options;
    for (const side of ['client', 'agent'] as const) {
      const lane = this.#lanes[side];
      lane.lose(chance.below(lane.flying + 1));
      const isTold = chance.happens(0.7);
      trace(() => `cable ${id} is cut${isTold ? '' : `, and the ${side} is not told`}`);
      if (isTold) lane.afterLast(chance.happens(0.5) ? 0 : chance.below(2500), () => this.#tellClosed(side, 'cut'));
    }
  }

  /** Nothing more arrives at one end, and nobody is told. */
  swallow(to: Side): void {
    this.options.trace(() => `cable ${this.id} swallows what goes to the ${to}`);
    this.#lanes[to].isSwallowing = true;
  }

  /** @param bytesPerMs what one end reads; 0: nothing */
  setSpeed(to: Side, bytesPerMs: number): void {
    this.options.trace(() => `cable ${this.id}: ${bytesPerMs} bytes a millisecond to the ${to}`);
    this.#lanes[to].setSpeed(bytesPerMs);
  }

  /** The program at that end is gone: it hears nothing, and the other end may learn of it. */
  abandon(side: Side, isTold: boolean): void {
    this.#lanes[side].listener = undefined;
    if (this.#state !== 'whole') return;
    this.#state = 'broken';
    const there = side === 'client' ? 'agent' : 'client';
    this.#lanes[there].lose(this.#lanes[there].flying);
    this.#lanes[side].isSwallowing = true;
    if (isTold) this.#lanes[there].afterLast(1, () => this.#tellClosed(there, 'the program ended'));
  }

  #end(side: Side): Transport {
    const there = side === 'client' ? 'agent' : 'client';
    const incoming = this.#lanes[side];
    const outgoing = this.#lanes[there];
    let isClosed = false;
    return {
      route: this.options.route ?? 'direct',
      get bufferedBytes() {
        return outgoing.bufferedBytes;
      },
      send: (message, rest) => (isClosed ? true : outgoing.send(joined(message, rest ?? []))), // a network keeps a copy
      close: (code, reason) => {
        if (isClosed) return;
        isClosed = true;
        this.#close(side, code, reason);
      },
      listen: (listener) => {
        incoming.listener = listener;
        outgoing.drained = () => incoming.listener?.drain();
      },
    };
  }

  #close(side: Side, code: CloseCode, reason: string): void {
    const { clock, trace, id } = this.options;
    trace(() => `cable ${id} closed by the ${side}: ${code} ${reason}`);
    clock.after(0, () => this.#tellClosed(side, reason, code));
    if (this.#state !== 'whole') return;
    this.#state = 'closed';
    const there = side === 'client' ? 'agent' : 'client';
    const lane = this.#lanes[there];
    if (lane.isSwallowing) return;
    // What was sent before arrives yet; of what waits for a slow reader nobody waits for the end.
    if (!lane.isEmpty) lane.setSpeed(Number.POSITIVE_INFINITY);
    lane.afterLast(1, () => this.#tellClosed(there, reason, code));
  }

  #tellClosed(side: Side, reason: string, code?: CloseCode): void {
    const lane = this.#lanes[side];
    const { listener } = lane;
    lane.listener = undefined;
    listener?.close(reason, code);
  }
}
