// One side of a simulation as a user of services: calls, posts, cancels, subscribes, lets go, at random, and writes all of
// it into the history. Support of the tests; it knows of sessions only how to get a service.
import type { BusObject, CallHandle, Subscription } from '../../protocol/bus/bus.ts';
import { asQiwayError, type QiwayError } from '../../protocol/errors.ts';
import { decodePayload, plainObjects } from '../../protocol/objects/values.ts';
import type { Chance } from './chance.ts';
import { type Answer, failed, type History, type Listening, type Operation } from './history.ts';
import { MOTION_SERVICE } from './sim-agent.ts';
import { Action, numbered, readNumbered } from './sim-service.ts';

export interface CallerOptions {
  readonly name: string;
  readonly chance: Chance;
  readonly history: History;
  readonly service: (name: string) => Promise<BusObject>;
  /** On which its session is now. */
  readonly cable: () => number | undefined;
  /** That it may have waiting yet: a call beyond is refused, a post is dropped. */
  readonly roomBytes: () => number;
  /** Of the next body. */
  readonly bodyBytes: () => number;
}

interface UnderWay {
  readonly operation: Operation;
  readonly handle: CallHandle;
}

interface Made {
  readonly object: BusObject;
  readonly by: string;
}

interface Subscribed {
  readonly listening: Listening;
  readonly subscription: Subscription;
}

export class Caller {
  readonly #options: CallerOptions;
  readonly #objects = new Map<string, BusObject>();
  readonly #fetching = new Set<string>();
  /** Objects that calls returned, and by which service. */
  readonly #made: Made[] = [];
  #underWay: UnderWay[] = [];
  #hasLeft = false;
  #subscribed: Subscribed[] = [];

  constructor(options: CallerOptions) {
    this.#options = options;
  }

  get name(): string {
    return this.#options.name;
  }

  /** The object of a service, if it is held; else it is asked for, for later. */
  object(name: string): BusObject | undefined {
    const known = this.#objects.get(name);
    if (known?.goneWith === undefined && known !== undefined) return known;
    if (known !== undefined) {
      this.#objects.delete(name);
      known.release();
    }
    this.#fetch(name);
    return undefined;
  }

  /** Calls or posts, if the service is there. */
  ask(name: string, kind: 'call' | 'post'): Operation | undefined {
    const object = this.object(name);
    return object === undefined ? undefined : this.#ask(object, name, kind);
  }

  /** A call that is answered at once, for the end. */
  askPlainly(name: string): Operation | undefined {
    const object = this.object(name);
    return object === undefined ? undefined : this.#call(object, name, { how: 'reply', delayMs: 0, bytes: 4 });
  }

  /** Asks for an object, or uses one that was returned, or lets it go. */
  callMade(name: string): void {
    const { chance } = this.#options;
    const made = chance.pick(this.#made);
    const what = made === undefined ? 'make' : (chance.pick(['make', 'make', 'release', 'call', 'call', 'post']) ?? '');
    if (what === 'call' || what === 'post') this.#askMade(made as Made, what);
    else if (what === 'release') {
      this.#made.splice(this.#made.indexOf(made as Made), 1);
      made?.object.release();
    } else {
      const object = this.object(name);
      if (object !== undefined) this.#call(object, name, { how: 'reply', delayMs: 0, bytes: 0 }, Action.make);
    }
  }

  cancelOne(): void {
    const { operation, handle } = this.#options.chance.pick(this.#underWay) ?? {};
    if (operation === undefined) return;
    operation.isCancelAsked = true;
    handle?.cancel();
  }

  subscribe(name: string): void {
    const { history } = this.#options;
    const object = this.object(name);
    if (object === undefined) return;
    const listening = history.listen(name);
    const subscription = object.subscribe(Action.ticked, {
      event: (payload) => {
        const read = readNumbered(payload);
        if (read === undefined) history.violate(`an event of ${name} arrived in pieces`);
        else history.heard(listening, read.number);
      },
      gap: (missed) => history.missed(listening, missed),
      gone: () => {
        listening.state = 'ended';
      },
    });
    const one = { listening, subscription };
    this.#subscribed.push(one);
    const owner = this.name;
    history.waitFor({ owner, what: `confirmation ${listening.id}` }, subscription.ready).then(
      () => history.confirmed(listening),
      () => {
        listening.state = 'ended';
      },
    );
  }

  unsubscribeOne(): void {
    const one = this.#options.chance.pick(this.#subscribed);
    if (one !== undefined) this.#unsubscribe(one);
  }

  /** What is open hears of the last event, if who emits it is still there. */
  checkUpToDate(isThere: (emitter: string) => boolean): void {
    for (const { listening } of this.#subscribed)
      if (isThere(listening.emitter)) this.#options.history.checkUpToDate(listening);
  }

  /** Lets a service go, and asks for it anew when it is used next. */
  forget(name: string): void {
    const object = this.#objects.get(name);
    // Its subscriptions hang on it.
    if (object === undefined || this.#subscribed.some(({ listening }) => listening.emitter === name)) return;
    this.#objects.delete(name);
    object.release();
  }

  /** Lets go of everything. */
  leave(): void {
    this.#hasLeft = true;
    for (const one of [...this.#subscribed]) this.#unsubscribe(one);
    for (const object of this.#objects.values()) object.release();
    for (const { object } of this.#made) object.release();
    this.#objects.clear();
    this.#made.length = 0;
  }

  /** Its program was killed: it hears nothing any more. */
  killed(): void {
    for (const { listening } of this.#subscribed) listening.state = 'ended';
    this.#subscribed = [];
  }

  #fetch(name: string): void {
    const { history, service } = this.#options;
    if (this.#fetching.has(name)) return;
    this.#fetching.add(name);
    history
      .waitFor({ owner: this.name, what: `service ${name}` }, service(name))
      .then(
        (object) => {
          if (this.#objects.has(name) || this.#hasLeft) object.release();
          else this.#objects.set(name, object);
        },
        () => {},
      )
      .finally(() => this.#fetching.delete(name));
  }

  #askMade({ object, by }: Made, kind: 'call' | 'post'): void {
    const [, , , number] = object.uid;
    this.#ask(object, `${by}'s ${number}`, kind);
  }

  #ask(object: BusObject, callee: string, kind: 'call' | 'post'): Operation {
    const { history, bodyBytes } = this.#options;
    if (kind === 'call') return this.#call(object, callee, this.#answer());
    const operation = history.make(this.#operation('post', callee, bodyBytes(), { how: 'never' }));
    object.post(Action.work, numbered(operation.id, operation.bodyBytes));
    return operation;
  }

  #call(object: BusObject, callee: string, answer: Answer, action: number = Action.work): Operation {
    const { history, bodyBytes } = this.#options;
    const operation = history.make(this.#operation('call', callee, bodyBytes(), answer));
    const payload = numbered(operation.id, operation.bodyBytes);
    const settled = (): void => {
      this.#underWay = this.#underWay.filter((each) => each.operation !== operation);
    };
    const handle = object.call(
      { action, payload },
      {
        reply: (reply) => {
          settled();
          if (action === Action.make) {
            const object = decodePayload(reply, plainObjects) as BusObject;
            if (this.#hasLeft) object.release();
            else this.#made.push({ object, by: callee });
            return history.settled(operation, { kind: 'reply', isRight: true });
          }
          const read = readNumbered(reply);
          const isRight = read?.number === operation.id && answer.how === 'reply' && read.bytes === answer.bytes;
          history.settled(operation, { kind: 'reply', isRight });
        },
        error: (error: QiwayError) => {
          settled();
          history.settled(operation, failed(asQiwayError(error)));
        },
        canceled: () => {
          settled();
          history.settled(operation, { kind: 'canceled' });
        },
      },
    );
    if (operation.outcomes.length === 0) this.#underWay.push({ operation, handle });
    return operation;
  }

  #operation(
    kind: Operation['kind'],
    callee: string,
    bodyBytes: number,
    answer: Answer,
  ): Omit<Operation, 'id' | 'madeAt' | 'runs' | 'outcomes' | 'isCancelAsked' | 'isBehindBulk'> {
    const { name: caller, cable, roomBytes } = this.#options;
    const madeOn = cable();
    const isTaken = madeOn !== undefined && roomBytes() > bodyBytes;
    return { kind, caller, callee, isMotion: callee.startsWith(MOTION_SERVICE), bodyBytes, answer, madeOn, isTaken };
  }

  #answer(): Answer {
    const { chance, bodyBytes } = this.#options;
    if (chance.happens(0.08)) return { how: 'never' };
    const delayMs = chance.happens(0.6) ? 0 : chance.between(1, chance.pick([10, 300, 5000]) ?? 1);
    return { how: chance.happens(0.1) ? 'error' : 'reply', delayMs, bytes: bodyBytes() };
  }

  #unsubscribe(one: Subscribed): void {
    const { history } = this.#options;
    const { listening, subscription } = one;
    this.#subscribed.splice(this.#subscribed.indexOf(one), 1);
    if (listening.state === 'open') listening.state = 'closing';
    history
      .waitFor({ owner: this.name, what: `end of subscription ${listening.id}` }, subscription.close())
      .then(() => {
        listening.state = 'ended';
      });
  }
}
