// An object of the agent as a tab has it: everything passes, and what the tab takes there, to be given back later, is noted.
import {
  type BusObject,
  type CallHandle,
  type CallRequest,
  type EventSink,
  NO_OBJECTS,
  type Payload,
  type PostOptions,
  type ReplySink,
  type Subscription,
} from '@qiway/protocol/bus/bus';
import { QiwayError } from '@qiway/protocol/errors';
import { decodeValue, encodeValue } from '@qiway/protocol/wire/value';

/** A method that gives an id, the one that takes it back, and others that begin with such an id. */
export interface Taking {
  readonly take: string;
  readonly giveBack: string;
  readonly about?: readonly string[];
}

export interface WatchedOptions {
  readonly takings: readonly Taking[];
  /** `first`: the first argument, where it is a number. */
  readonly taken: (taking: Taking, id: number, first: number | undefined) => void;
  readonly givenBack: (taking: Taking, id: number) => void;
  /** Was it taken here? Others of the session have ids, too: theirs are not touched. */
  readonly isHeld: (taking: Taking, id: number) => boolean;
  /** True: it was meant for the owner, and goes no further. */
  readonly post?: (action: number, payload: Payload) => boolean;
}

interface Watch {
  readonly replied?: (request: CallRequest, reply: Payload) => void;
  /** Undefined: it may go on. */
  readonly refusal?: (request: CallRequest) => Payload | QiwayError | undefined;
}

/** What the agent says of an id that there is not. */
const NONE: Payload = { signature: 'b', bytes: encodeValue('b', false), objects: NO_OBJECTS };

export class WatchedObject implements BusObject {
  readonly #inner: BusObject;
  readonly #options: WatchedOptions;
  readonly #watches = new Map<number, Watch>();

  /** The reference stays with the caller. */
  constructor(inner: BusObject, options: WatchedOptions) {
    this.#inner = inner;
    this.#options = options;
    const { takings, taken, givenBack, isHeld } = options;
    for (const { uid, name, returnSignature } of inner.metaObject.methods.values())
      for (const taking of takings) {
        const { take, giveBack, about = [] } = taking;
        const refusal = ({ payload }: CallRequest): Payload | QiwayError | undefined => {
          const id = firstOf(payload);
          if (id !== undefined && isHeld(taking, id)) return undefined;
          return returnSignature === 'b' ? NONE : notYours(name, id);
        };
        if (name === take)
          this.#watches.set(uid, {
            replied: ({ payload }, { bytes }) =>
              taken(taking, decodeValue(returnSignature, bytes) as number, firstOf(payload)),
          });
        else if (name === giveBack)
          this.#watches.set(uid, { refusal, replied: ({ payload }) => givenBack(taking, firstOf(payload) ?? 0) });
        else if (about.includes(name)) this.#watches.set(uid, { refusal });
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
    const refusal = refusalOf(watch, request);
    if (refusal instanceof Error) sink.error(refusal);
    else if (refusal !== undefined) sink.reply(refusal);
    if (refusal !== undefined) return NOTHING_TO_CANCEL;
    return this.#inner.call(request, {
      reply: (payload) => {
        try {
          watch.replied?.(request, payload);
        } catch {
          // What cannot be read was taken by nobody: the tab says so itself.
        }
        sink.reply(payload);
      },
      error: (error) => sink.error(error),
      canceled: () => sink.canceled(),
    });
  }

  /** What takes or gives back wants its answer to be heard: it is not made as a post. */
  post(action: number, payload: Payload, options?: PostOptions): void {
    if (this.#watches.has(action)) return;
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

const NOTHING_TO_CANCEL: CallHandle = { cancel: () => {} };

function refusalOf({ refusal }: Watch, request: CallRequest): Payload | QiwayError | undefined {
  try {
    return refusal?.(request);
  } catch {
    return undefined; // it cannot be read: the agent says so
  }
}

function notYours(member: string, id: number | undefined): QiwayError {
  return new QiwayError('forbidden', `${member}: ${id ?? 'that'} is not of this tab; who took it gives it back.`, {
    data: { reason: 'another tab' },
  });
}
