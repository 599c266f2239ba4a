// The methods of a remote object: picks the overload, checks the arguments, sends the call. Layer 3.

import { argumentSignature } from '../bus/argument-signature.ts';
import { type CallRequest, type Payload, releasePayload } from '../bus/bus.ts';
import type { MetaMethod } from '../bus/metaobject.ts';
import { isQiwayError, QiwayError } from '../errors.ts';
import { needed } from '../part.ts';
import { parseSignature, splitTuple } from '../wire/signature.ts';
import { Dynamic } from '../wire/value.ts';
import { callInTurn, encodeOutgoing, postInTurn, type Remote } from './remote.ts';
import { callRemote } from './remote-call.ts';
import type { CallOptions, RemoteMethod } from './remote-types.ts';
import { decodePayload, objectsFor } from './values.ts';

type LooseCall = (...args: unknown[]) => Promise<unknown>;

/** @param candidates the overloads: one at least */
export function remoteMethod(remote: Remote, name: string, candidates: readonly MetaMethod[]): RemoteMethod {
  const decode = (payload: Payload): unknown => decodePayload(payload, remote.mapper);
  const form = (options?: CallOptions): LooseCall => {
    const how = { decode, times: remote.times, options };
    const call: LooseCall = (...args) =>
      callInTurn(remote, () => callRemote(remote.check(), requestOf(remote, name, candidates, args), how));
    if (options?.offline !== undefined)
      return (...args) =>
        callInTurn(remote, () => {
          remote.check();
          const method = methodFor(remote, name, candidates, args);
          const payload = payloadOf(remote, method, args);
          releasePayload(payload); // the queue takes bytes only
          const { queueing } = remote;
          // Calls wait for the part in their order: each asks for the same promise.
          return Promise.resolve(queueing?.load()).then(async () =>
            decode(await needed(queueing?.here).callQueued(remote, { method, args, payload }, options)),
          );
        });
    if (options?.whenBusDown !== 'wait') return call;
    const { part } = remote;
    return async (...args) => {
      await part.load();
      return needed(part.here).callWhenUp(remote, (each) => form(each)(...args), { name, options });
    };
  };
  const posting =
    (lane: 'reliable' | 'lossy') =>
    (...args: unknown[]): void =>
      postInTurn(remote, () => {
        const object = remote.check();
        const { action, payload } = requestOf(remote, name, candidates, args);
        object.post(action, payload, { lane });
      });
  const withOptions = (options: CallOptions): LooseCall => {
    const { timeoutMs = 0 } = options;
    if (timeoutMs >= 0) return form(options);
    throw new QiwayError('invalid-argument', `timeoutMs is 0 (for ever) or more, not ${timeoutMs}.`, {
      data: { path: 'timeoutMs' },
    });
  };
  return Object.assign(form(), { with: withOptions, post: posting('reliable'), postLatest: posting('lossy') });
}

/** @throws `argument-mismatch`, `invalid-argument`, `unsupported` while the part is not here: nothing was sent then */
function requestOf(
  remote: Remote,
  name: string,
  candidates: readonly MetaMethod[],
  args: readonly unknown[],
): CallRequest {
  const method = methodFor(remote, name, candidates, args);
  return { action: method.uid, payload: payloadOf(remote, method, args) };
}

/** The overload that is meant. */
function methodFor(
  remote: Remote,
  name: string,
  candidates: readonly MetaMethod[],
  args: readonly unknown[],
): MetaMethod {
  const fitting = candidates.filter((method) => takes(method, args.length));
  const [only] = fitting;
  if (only === undefined) throw countMismatch(name, candidates, args.length);
  // A single method of that arity is taken whatever the types, as libqi does: what does not fit is told by name.
  return fitting.length === 1
    ? only
    : needed(remote.part.here).bestOverload(fitting, args, { objects: objectsFor(remote.mapper) });
}

function payloadOf(remote: Remote, method: MetaMethod, args: readonly unknown[]): Payload {
  const signature = method.parametersSignature;
  const value = signature === 'm' ? new Dynamic(argumentSignature(args, objectsFor(remote.mapper)), args) : args;
  try {
    return encodeOutgoing(remote, signature, value);
  } catch (error) {
    throw explained(error, method);
  }
}

function takes({ parametersSignature }: MetaMethod, count: number): boolean {
  const node = parseSignature(parametersSignature);
  return node.kind !== 'tuple' || node.members.length === count;
}

function countMismatch(name: string, candidates: readonly MetaMethod[], count: number): QiwayError {
  const full = candidates.map((method) => `${method.name}::${method.parametersSignature}`);
  return new QiwayError(
    'argument-mismatch',
    `${name} is ${candidates.map(spell).join(' or ')}; it was given ${count} argument${count === 1 ? '' : 's'}.`,
    { data: { candidates: full } },
  );
}

/** A method with its parameters' names: `say(text: s)`. */
function spell({ name, parametersSignature, parameters }: MetaMethod): string {
  if (parametersSignature === 'm') return `${name}(…)`;
  const list = splitTuple(parametersSignature).map(
    (signature, index) => `${parameters[index]?.name || `argument ${index + 1}`}: ${signature}`,
  );
  return `${name}(${list.join(', ')})`;
}

function explained(error: unknown, method: MetaMethod): unknown {
  if (!isQiwayError(error) || error.code !== 'invalid-argument') return error;
  const { data, message } = error as QiwayError<'invalid-argument'>;
  return new QiwayError('invalid-argument', `${spell(method)}: ${message.replace('[invalid-argument] ', '')}`, {
    data,
    cause: error,
  });
}
