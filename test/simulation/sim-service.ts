// A service of a simulation, at either end: notes what runs in the history, answers as the call wants it, emits numbered
// events. Payloads are read and written by hand: a simulation has millions. Support of the tests.
import {
  type BusObject,
  type CallHandle,
  type CallRequest,
  type EventSink,
  NO_OBJECTS,
  type Payload,
  type ReplySink,
  releasePayload,
  type Subscription,
} from '../../protocol/bus/bus.ts';
import { type MetaObject, makeMetaObject } from '../../protocol/bus/metaobject.ts';
import { QiwayError } from '../../protocol/errors.ts';
import { encodePayload, plainObjects } from '../../protocol/objects/values.ts';
import type { History, Operation } from './history.ts';
import type { ProgramClock } from './sim-clock.ts';

export const Action = { work: 100, make: 101, ticked: 110 } as const;

const plain = { description: '', parameters: [], returnDescription: '' };
const META = makeMetaObject({
  methods: new Map([
    [100, { ...plain, uid: 100, name: 'work', parametersSignature: '(Ir)', returnSignature: '(Ir)' }],
    [101, { ...plain, uid: 101, name: 'make', parametersSignature: '(Ir)', returnSignature: 'o' }],
  ]),
  signals: new Map([[110, { uid: 110, name: 'ticked', signature: '(Ir)' }]]),
  properties: new Map(),
  description: '',
});

/** A number and so many bytes, as `(Ir)`; the last byte repeats the number. */
export function numbered(number: number, bytes: number): Payload {
  const body = new Uint8Array(8 + bytes);
  const view = new DataView(body.buffer);
  view.setUint32(0, number, true);
  view.setUint32(4, bytes, true);
  if (bytes > 0) body[7 + bytes] = number;
  return { signature: '(Ir)', bytes: body, objects: NO_OBJECTS };
}

/** Undefined: it is not whole. */
export function readNumbered({ bytes }: Payload): { readonly number: number; readonly bytes: number } | undefined {
  if (bytes.length < 8) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const number = view.getUint32(0, true);
  const length = view.getUint32(4, true);
  const isWhole = bytes.length === 8 + length && (length === 0 || bytes[7 + length] === (number & 0xff));
  return isWhole ? { number, bytes: length } : undefined;
}

export interface SimServiceOptions {
  /** What its events are counted under. */
  readonly emitter: string;
  readonly history: History;
  readonly clock: ProgramClock;
}

export class SimService implements BusObject {
  readonly metaObject: MetaObject = META;
  readonly uid: Uint8Array;
  readonly #options: SimServiceOptions;
  readonly #sinks = new Set<EventSink>();
  #references = 1;
  /** Objects made and not let go of yet. */
  readonly made: Set<SimService> = new Set();

  constructor(options: SimServiceOptions) {
    this.#options = options;
    this.uid = options.history.freshUid();
  }

  get goneWith(): undefined {
    return undefined;
  }

  get references(): number {
    return this.#references;
  }

  get subscriptions(): number {
    return this.#sinks.size;
  }

  call(request: CallRequest, sink: ReplySink): CallHandle {
    const operation = this.#ran(request.payload);
    if (operation === undefined) {
      sink.error(
        new QiwayError('wire-invalid', 'A call of the simulation arrived in pieces.', { maybeExecuted: true }),
      );
      return { cancel: () => {} };
    }
    let isOpen = true;
    const settle = (act: () => void): void => {
      if (!isOpen) return;
      isOpen = false;
      act();
    };
    const { answer } = operation;
    if (answer.how !== 'never') {
      const finish = (): void =>
        settle(() => {
          if (answer.how === 'error') sink.error(new QiwayError('call-failed', 'No.', { data: { text: 'No.' } }));
          else sink.reply(request.action === Action.make ? this.#make() : numbered(operation.id, answer.bytes));
        });
      if (answer.delayMs === 0) finish();
      else this.#options.clock.after(answer.delayMs, finish);
    }
    return { cancel: () => settle(() => sink.canceled()) };
  }

  post(_action: number, payload: Payload): void {
    this.#ran(payload);
  }

  subscribe(_signal: number, given: EventSink): Subscription {
    const sink = { ...given, event: (payload: Payload) => given.event(payload) };
    this.#sinks.add(sink);
    return {
      ready: Promise.resolve(),
      close: async () => {
        this.#sinks.delete(sink);
      },
    };
  }

  emit(bytes: number): void {
    const payload = numbered(this.#options.history.emit(this.#options.emitter), bytes);
    for (const sink of [...this.#sinks]) sink.event(payload);
  }

  retain(): void {
    this.#references += 1;
  }

  release(): void {
    this.#references -= 1;
    if (this.#references < 0) this.#options.history.violate(`${this.#options.emitter} was released once too often`);
  }

  onGone(): () => void {
    return () => {};
  }

  #ran(payload: Payload): Operation | undefined {
    const read = readNumbered(payload);
    releasePayload(payload);
    if (read !== undefined) return this.#options.history.ran(read.number, read.bytes);
    this.#options.history.violate(`a call of ${this.#options.emitter} arrived in pieces`);
    return undefined;
  }

  #make(): Payload {
    const object = new SimService({ ...this.#options, emitter: `${this.#options.emitter} made` });
    this.made.add(object);
    const payload = encodePayload('o', object, plainObjects);
    object.release(); // the payload's reference is the only one
    return payload;
  }
}
