// Robots whose bus and services come and go at random, with callers and listeners outside: whatever happens, each call
// settles once and by the right service, each event is heard at most once and in order, and in the end all goes on.
import { expect, test } from 'vitest';
import { type BusObject, type EventSink, NO_OBJECTS, type Subscription } from '../../protocol/bus/bus.ts';
import type { EmbeddedBus } from '../../protocol/directory/embedded-bus.ts';
import { isQiwayError } from '../../protocol/errors.ts';
import { createObject, type HostedObject, method, signal } from '../../protocol/objects/hosted-object.ts';
import { decodeValue, encodeValue } from '../../protocol/wire/value.ts';
import { mirrorBus } from '../../robot-agent/mirror/mirror.ts';
import { type FlakyBus, flakyBus } from '../support/flaky-bus.ts';
import { embeddedBus } from '../support/memory-session.ts';
import { settled, type VirtualClock, virtualClock } from '../support/virtual-clock.ts';

const SEEDS = 300;
const STEPS = 80;
const NAMES = ['A', 'B', 'C'];
const logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
/** What calls may fail with. */
const CODES = ['bus-down', 'service-gone', 'object-gone'];

function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

interface Listening {
  readonly name: string;
  readonly heard: number[];
  gaps: number;
  end: string | undefined;
  isClosed: boolean;
  isReady: boolean;
  readonly subscription: Subscription;
}

interface Handle {
  readonly name: string;
  /** Two forms of each service, told apart by their metaobjects. */
  readonly form: number;
  readonly object: BusObject;
}

class Simulation {
  readonly #pick: (below: number) => number;
  /** For failures in callbacks, which come without a way back. */
  readonly #about: string;
  readonly #clock: VirtualClock = virtualClock();
  readonly #outer: EmbeddedBus = embeddedBus();
  readonly #inner: FlakyBus = flakyBus(this.#clock);
  readonly #mirror = mirrorBus({ outer: this.#outer, inner: this.#inner, logger, clock: this.#clock });
  #robot: EmbeddedBus | undefined;
  readonly #present = new Map<string, { readonly object: HostedObject; readonly leave: () => Promise<void> }>();
  readonly #handles: Handle[] = [];
  readonly #listening: Listening[] = [];
  #calls = 0;
  #settled = 0;
  #answered = 0;
  #events = 0;

  constructor(seed: number) {
    this.#pick = random(seed);
    this.#about = `seed ${seed}`;
  }

  async run(): Promise<number> {
    for (let step = 0; step < STEPS; step += 1) {
      await this.#step();
      // Sometimes several things happen in one turn.
      if (this.#pick(3) > 0) await settled();
    }
    await this.#comeToRest();
    return this.#answered;
  }

  async #step(): Promise<void> {
    const name = NAMES[this.#pick(NAMES.length)] as string;
    switch (this.#pick(12)) {
      case 0:
        return this.#robot === undefined ? this.#goUp() : this.#goDown();
      case 1:
        return this.#robot === undefined ? this.#goUp() : undefined;
      case 2:
        return this.#present.has(name) ? this.#leave(name) : this.#join(name);
      case 3:
        return this.#loseHost(name);
      case 4:
        return this.#clock.advance(this.#pick(3) === 0 ? 125_000 : this.#pick(3000));
      case 5:
      case 6:
        return this.#take(name);
      case 7:
        return this.#listen();
      case 8:
        return this.#stopListening();
      case 9:
        return this.#emit(name);
      default:
        return this.#call();
    }
  }

  async #goUp(): Promise<void> {
    const robot = embeddedBus();
    this.#robot = robot;
    for (const name of NAMES) if (this.#pick(4) > 0) await this.#join(name);
    await this.#inner.comeUp(robot);
  }

  #goDown(): void {
    this.#robot = undefined;
    this.#present.clear();
    this.#inner.goDown();
  }

  async #join(name: string, form: number = this.#pick(6) === 0 ? 1 : 0): Promise<void> {
    if (this.#robot === undefined) return;
    const object: HostedObject = createObject({
      whoami: method('()', 's', () => `${name}${form}`),
      never: method('()', 's', () => new Promise(() => {})),
      ticked: signal('(i)'),
      ...(form === 0 ? {} : { another: signal('()') }),
    });
    const { close } = await this.#robot.host(name, object);
    this.#present.set(name, { object, leave: close });
  }

  async #leave(name: string): Promise<void> {
    const leaving = this.#present.get(name)?.leave();
    this.#present.delete(name);
    await leaving;
    await settled();
    if (this.#mirror.state === 'up') expect(this.#outer.registry.byName(name)).toBeUndefined();
  }

  async #loseHost(name: string): Promise<void> {
    if (this.#present.has(name) && this.#inner.state === 'up') await this.#inner.loseHost(name);
  }

  async #take(name: string): Promise<void> {
    try {
      const object = await this.#outer.service(name);
      const form = [...object.metaObject.signals.values()].some((each) => each.name === 'another') ? 1 : 0;
      this.#handles.push({ name, form, object });
    } catch (error) {
      expect(isQiwayError(error) && error.code).toSatisfy((code: string) =>
        [...CODES, 'service-not-found'].includes(code),
      );
    }
  }

  #call(): void {
    const handle = this.#handles[this.#pick(this.#handles.length || 1)];
    if (handle === undefined) return;
    const { object, name, form } = handle;
    const wanted = this.#pick(3) === 0 ? 'never' : 'whoami';
    const action = [...object.metaObject.methods.values()].find((each) => each.name === wanted)?.uid ?? -1;
    const wasGone = object.goneWith !== undefined;
    let outcomes = 0;
    const settle = (): void => {
      outcomes += 1;
      this.#settled += 1;
      expect(outcomes, this.#about).toBe(1);
    };
    this.#calls += 1;
    const payload = { signature: '()', bytes: encodeValue('()', []), objects: NO_OBJECTS };
    object.call(
      { action, payload },
      {
        reply: ({ bytes }) => {
          settle();
          this.#answered += 1;
          expect([decodeValue('s', bytes), wasGone], this.#about).toEqual([`${name}${form}`, false]);
        },
        error: ({ code }) => {
          settle();
          expect(CODES, this.#about).toContain(code);
        },
        canceled: settle,
      },
    );
  }

  #listen(): void {
    const handle = this.#handles[this.#pick(this.#handles.length || 1)];
    if (handle === undefined) return;
    const { object, name } = handle;
    const heard: number[] = [];
    const sink: EventSink = {
      event: ({ bytes }) => {
        expect([listening.isClosed, listening.end], this.#about).toEqual([false, undefined]);
        heard.push((decodeValue('(i)', bytes) as [number])[0]);
      },
      gap: () => {
        expect([listening.isClosed, listening.end], this.#about).toEqual([false, undefined]);
        listening.gaps += 1;
      },
      gone: (error) => {
        expect(listening.end, this.#about).toBeUndefined();
        listening.end = error.code;
      },
    };
    const action = [...object.metaObject.signals.values()].find((each) => each.name === 'ticked')?.uid ?? -1;
    const subscription = object.subscribe(action, sink);
    const listening: Listening = {
      name,
      heard,
      gaps: 0,
      end: undefined,
      isClosed: false,
      isReady: false,
      subscription,
    };
    this.#listening.push(listening);
    subscription.ready.then(
      () => {
        listening.isReady = true;
      },
      (error: { readonly code: string }) => {
        listening.end ??= error.code;
      },
    );
  }

  #stopListening(): void {
    const listening = this.#listening[this.#pick(this.#listening.length || 1)];
    if (listening === undefined || listening.isClosed) return;
    listening.isClosed = true;
    void listening.subscription.close();
  }

  #emit(name: string): void {
    this.#present.get(name)?.object.emit('ticked', this.#events++);
  }

  async #comeToRest(): Promise<void> {
    if (this.#robot === undefined) await this.#goUp();
    await settled();
    for (const name of NAMES) if (!this.#present.has(name)) await this.#join(name);
    await this.#clock.advance(125_000);
    const open = this.#listening.filter(({ isClosed, end }) => !isClosed && end === undefined);
    const before = open.map(({ heard }) => heard.length);
    for (const name of NAMES) this.#emit(name);
    await settled();
    open.forEach(({ isReady, heard }, index) => {
      expect([isReady, heard.length]).toEqual([true, (before[index] as number) + 1]);
    });
    for (const { heard } of this.#listening) {
      expect(heard).toEqual([...new Set(heard)].sort((one, other) => one - other));
    }
    for (const name of NAMES) {
      const object = await this.#outer.service(name);
      expect(object.goneWith).toBeUndefined();
      object.release();
    }
    // A handle that is not gone leads to the service that is there.
    this.#goDown();
    await settled();
    expect(this.#settled).toBe(this.#calls);
    await this.#mirror.close();
    await settled();
    expect((await this.#outer.services()).map(({ name }) => name)).toEqual(['ServiceDirectory']);
    for (const { isClosed, end } of this.#listening) expect(isClosed || end !== undefined).toBe(true);
    for (const { object } of this.#handles) expect(object.goneWith?.code).toBe('service-gone');
  }
}

test(`${SEEDS} robots, ${STEPS} things happening to each`, async () => {
  let answered = 0;
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    try {
      answered += await new Simulation(seed).run();
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error });
    }
  }
  expect(answered).toBeGreaterThan(SEEDS);
}, 60_000);
