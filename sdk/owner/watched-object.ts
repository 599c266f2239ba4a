// An object of the agent as a tab has it: everything passes, and what the tab takes there, to be given back later, is noted.
import type {
  BusObject,
  CallHandle,
  CallRequest,
  EventSink,
  Payload,
  PostOptions,
  ReplySink,
  Subscription,
} from '@qiway/protocol/bus/bus';
import type { QiwayError } from '@qiway/protocol/errors';
import { decodeValue } from '@qiway/protocol/wire/value';

/** A method that gives an id, and the one that takes it back. */
export interface Taking {
  readonly take: string;
  readonly giveBack: string;
}

export interface WatchedOptions {
  readonly takings: readonly Taking[];
  /** `first`: the first argument, where it is a number. */
  readonly taken: (taking: Taking, id: number, first: number | undefined) => void;
  readonly givenBack: (taking: Taking, id: number) => void;
  /** True: it was meant for the owner, and goes no further. */
  readonly post?: (action: number, payload: Payload) => boolean;
}

type Watch = (request: CallRequest, reply: Payload) => void;

export class WatchedObject implements BusObject {
  readonly #inner: BusObject;
  readonly #options: WatchedOptions;
  readonly #watches = new Map<number, Watch>();

  /** The reference stays with the caller. */
  constructor(inner: BusObject, options: WatchedOptions) {
    this.#inner = inner;
    this.#options = options;
    const { takings, taken, givenBack } = options;
    for (const { uid, name, returnSignature } of inner.metaObject.methods.values())
      for (const taking of takings) {
        if (name === taking.take)
          this.#watches.set(uid, ({ payload }, { bytes }) =>
            taken(taking, decodeValue(returnSignature, bytes) as number, firstOf(payload)),
          );
        else if (name === taking.giveBack)
          this.#watches.set(uid, ({ payload }) => givenBack(taking, firstOf(payload) ?? 0));
      }
  }

  get metaObject(): BusObject['metaObject'] {
    return this.#inner.metaObject;
  }

  get uid(): Uint8Array {
    return this.#inner.uid;
  }

  get goneWith(): QiwayError | undefined {
    return this.#inner.goneWith;
  }

  call(request: CallRequest, sink: ReplySink): CallHandle {
    const watch = this.#watches.get(request.action);
    if (watch === undefined) return this.#inner.call(request, sink);
    return this.#inner.call(request, {
      reply: (payload) => {
        try {
          watch(request, payload);
        } catch {
          // What cannot be read was taken by nobody: the tab says so itself.
        }
        sink.reply(payload);
      },
      error: (error) => sink.error(error),
      canceled: () => sink.canceled(),
    });
  }

  post(action: number, payload: Payload, options?: PostOptions): void {
    if (this.#options.post?.(action, payload) !== true) this.#inner.post(action, payload, options);
  }

  subscribe(signal: number, sink: EventSink): Subscription {
    return this.#inner.subscribe(signal, sink);
  }

  retain(): void {
    this.#inner.retain();
  }

  release(): void {
    this.#inner.release();
  }

  onGone(listener: (error: QiwayError) => void): () => void {
    return this.#inner.onGone(listener);
  }
}

function firstOf({ signature, bytes }: Payload): number | undefined {
  const [first] = decodeValue(signature, bytes) as readonly unknown[];
  return typeof first === 'number' ? first : undefined;
}
