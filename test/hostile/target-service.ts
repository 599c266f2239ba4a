// The service that hostile tests aim at: it counts what reaches it, and what others hold of it.
import type { BusObject, Payload, Subscription } from '@qiway/protocol/bus/bus';
import { QiwayError } from '@qiway/protocol/errors';
import {
  type CallContext,
  createObject,
  type HostedObject,
  method,
  signal,
} from '@qiway/protocol/objects/hosted-object';

export interface Target {
  readonly object: HostedObject;
  readonly counts: () => TargetCounts;
  /** Releases what `keep` was given. */
  readonly drop: () => void;
}

export interface TargetCounts {
  /** Registrations on its signals and on those of its things. */
  readonly subscribers: number;
  /** Things given out and still held by somebody. */
  readonly things: number;
  /** Objects of others that it was given and that live. */
  readonly kept: number;
  /** Calls of `never`, which never answers, and of `endless`, which ends when it is cancelled; and how many of them were cancelled. */
  readonly nevers: number;
  readonly cancels: number;
  /** Calls of `touch` of any thing. */
  readonly touches: number;
}

const MEBIBYTE = 1_048_576;

export function createTarget(): Target {
  const counts = { subscribers: 0, things: 0, nevers: 0, cancels: 0, touches: 0 };
  const kept = new Set<BusObject>();
  const counted = (object: HostedObject): HostedObject => {
    const subscribe = object.subscribe.bind(object);
    return Object.assign(object, {
      subscribe: (...args: Parameters<BusObject['subscribe']>): Subscription => {
        const { ready, close } = subscribe(...args);
        counts.subscribers += 1;
        let isOpen = true;
        const end = (): Promise<void> => {
          if (isOpen) counts.subscribers -= 1;
          isOpen = false;
          return close();
        };
        return { ready, close: end };
      },
    });
  };
  const thing = (): HostedObject => {
    const made: HostedObject = createObject(
      {
        touch: method('()', 'i', () => ++counts.touches),
        touched: signal('(i)'),
      },
      { onUnused: () => made.release() },
    );
    counts.things += 1;
    made.onGone(() => {
      counts.things -= 1;
    });
    return counted(made);
  };
  const flood = new Uint8Array(MEBIBYTE).fill(7);
  const object: HostedObject = createObject({
    step: method('(si)', 'i', (who: string, step: number) => {
      object.emit('stepped', who, step);
      return step + 1;
    }),
    lengthOf: method('(r)', 'I', (raw: Uint8Array) => raw.length),
    rawOf: method('(I)', 'r', (size: number) => new Uint8Array(size)),
    dynamic: { ...method('(m)', 'm', (payload: Payload) => ({ ...payload, signature: 'm' })), isRaw: true },
    flood: method('(I)', 'v', (count: number) => {
      for (let each = 0; each < count; each += 1) object.emit('flooded', flood);
    }),
    thing: method('()', 'o', thing),
    keep: method('(o)', 'v', (given: BusObject) => {
      kept.add(given);
      given.onGone(() => kept.delete(given));
    }),
    never: method('()', 'v', (context: CallContext) => {
      counts.nevers += 1;
      context.onCancel(() => {
        counts.cancels += 1;
      });
      return new Promise(() => {});
    }),
    endless: method('()', 'v', (context: CallContext) => {
      counts.nevers += 1;
      return new Promise((_, reject) => {
        context.onCancel(() => {
          counts.cancels += 1;
          reject(new QiwayError('canceled', 'Stopped.'));
        });
      });
    }),
    stepped: signal('(si)'),
    flooded: signal('(r)'),
  });
  return {
    object: counted(object),
    counts: () => ({ ...counts, kept: kept.size }),
    drop: () => {
      for (const given of kept) given.release();
    },
  };
}
