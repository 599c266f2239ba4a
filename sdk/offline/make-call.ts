// One attempt at a queued call: directly if it may be made twice, else by the agent under its key. Knows no queue.
import { type BusObject, NO_OBJECTS, type Payload } from '@qiway/protocol/bus/bus';
import { type CallLimit, callObject } from '@qiway/protocol/bus/call';
import type { Clock } from '@qiway/protocol/clock';
import { QiwayError } from '@qiway/protocol/errors';
import { decodePayload, encodePayload, plainObjects } from '@qiway/protocol/objects/values';
import type { QueuePort, StoredCall } from './queue-types.ts';

/** What the longest timer takes, ms: for ever. */
const FOREVER_MS = 2_147_483_647;
/** The agent's answers about its journal. */
const ANSWER_MS = 10_000;

export interface CallMaker {
  /**
   * @param sending called with what is to be stored before anything is sent
   * @throws what the call came to; `interrupted` when an agent had it that has forgotten
   */
  make(
    call: StoredCall,
    sending: (call: StoredCall) => Promise<void>,
    onAborted: CallLimit['onAborted'],
  ): Promise<Payload>;
  /** The agent need not keep what these came to. Never rejects. */
  taken(ids: readonly string[]): Promise<void>;
}

export function callMaker(port: QueuePort, clock: Clock): CallMaker {
  const journals = new WeakMap<BusObject, Promise<string>>();
  const journalOf = (own: BusObject): Promise<string> => {
    const known = journals.get(own) ?? (askOwn(own, 'journalId', []) as Promise<string>);
    journals.set(own, known);
    known.catch(() => journals.delete(own));
    return known;
  };
  const askOwn = async (
    own: BusObject,
    name: string,
    args: readonly unknown[],
    limit?: Partial<CallLimit>,
  ): Promise<unknown> => {
    const { uid, parametersSignature } = methodOf(own, (each) => each.name === name, name);
    const payload = encodePayload(parametersSignature, args, plainObjects);
    return decodePayload(
      await callObject(own, { action: uid, payload }, { clock, timeoutMs: ANSWER_MS, ...limit }),
      plainObjects,
    );
  };

  return {
    async make(call, sending, onAborted) {
      const { service, method, signature, bytes, hasNull, memberClass, id } = call;
      const timeoutMs = call.timeoutMs > 0 ? call.timeoutMs : FOREVER_MS;
      if (memberClass === 'idempotent') {
        const object = await port.service(service);
        try {
          const fits = (each: { name: string; parametersSignature: string }): boolean =>
            `${each.name}::${each.parametersSignature}` === method;
          const { uid } = methodOf(object, fits, `${service}.${method}`);
          await sending({ ...call, wasSent: true });
          const payload = { signature, bytes, objects: hasNull ? [] : NO_OBJECTS };
          return await callObject(object, { action: uid, payload }, { clock, timeoutMs, onAborted });
        } finally {
          object.release();
        }
      }
      const own = await port.own();
      const journal = await journalOf(own);
      if (call.wasSent && call.journal !== journal) throw interrupted(call);
      await sending({ ...call, wasSent: true, journal });
      const stop = (abort: () => void): void =>
        onAborted?.(() => {
          askOwn(own, 'stopOnce', [id]).catch(() => {}); // it goes on, and nobody waits for it
          abort();
        });
      const args = [id, service, method, bytes, signature];
      const [result, resultSignature] = (await askOwn(own, 'runOnce', args, { timeoutMs, onAborted: stop })) as [
        Uint8Array,
        string,
      ];
      return { signature: resultSignature, bytes: result, objects: [] };
    },
    async taken(ids) {
      try {
        await askOwn(await port.own(), 'outcomesTaken', [ids]);
      } catch {
        // It forgets them by itself, after a day.
      }
    },
  };
}

function methodOf(
  object: BusObject,
  fits: (method: { readonly name: string; readonly parametersSignature: string }) => boolean,
  wanted: string,
): { readonly uid: number; readonly parametersSignature: string } {
  for (const method of object.metaObject.methods.values()) if (fits(method)) return method;
  throw new QiwayError('member-not-found', `The robot has no ${wanted} (any more).`, { data: { member: wanted } });
}

function interrupted({ service, method }: StoredCall): QiwayError<'interrupted'> {
  return new QiwayError(
    'interrupted',
    `The agent was started anew without its journal after ${service}.${method} was sent, which may have run and is not sent again. Ask the robot what is the case.`,
    { data: { service, method }, maybeExecuted: true },
  );
}
