// The session object's members for calls that must run once: the agent makes them itself, under a key, by its journal.
import { type BusObject, NO_OBJECTS, type Payload, releasePayload } from '@qiway/protocol/bus/bus';
import { callObject } from '@qiway/protocol/bus/call';
import type { ServingGuard } from '@qiway/protocol/bus/serving-side';
import type { Clock } from '@qiway/protocol/clock';
import type { EmbeddedBus } from '@qiway/protocol/directory/embedded-bus';
import { isQiwayError, overLimit, QiwayError, sentenceOf } from '@qiway/protocol/errors';
import type { ClassTable } from '@qiway/protocol/member-class';
import { type Members, method } from '@qiway/protocol/objects/hosted-object';
import { isSameSignature } from '@qiway/protocol/objects/values';
import { holdsObjects } from '@qiway/protocol/wire/signature';
import { decodeValue } from '@qiway/protocol/wire/value';
import type { Journal, KeptResult } from './journal.ts';

/** Who asks. */
export interface OnceSession {
  /** Of the client's identity: its keys go on in its next session. */
  readonly clientId: string;
  /** As calls of the session show it. */
  readonly caller: object;
}

export interface OnceParts {
  readonly journal: Journal;
  readonly bus: EmbeddedBus;
  readonly clock: Clock;
  readonly classes: ClassTable;
  /** Looks at each call as at one that comes over the session itself. */
  readonly guard?: ServingGuard | undefined;
}

/** A method that runs longer is given up on, ms: a client waits less, and comes back with the same key meanwhile. */
const CALL_TIMEOUT_MS = 600_000;
const MAX_KEY_LENGTH = 128;
const MAX_KEYS = 1000;
/** Calls of a session that its robot has not answered. */
const MAX_RUNNING = 1000;
/** The bus's own object: registering services is not work to be done later. */
const DIRECTORY = 'ServiceDirectory';

/**
 * - `runOnce(key, service, method, payload, signature) -> (result, signature)`: calls the method, unless a call of this
 *   client with the key was made before: then answers what that came to. The call goes on when the session ends.
 * - `stopOnce(key)`: asks the method to stop, if it is under way for this session.
 * - `outcomesTaken(keys)`: the client has what these came to, the agent need not keep it.
 * - `journalId()`: of the agent's memory of this client; a key sent under another one may have been called without this one
 *   knowing. Pages of insecure origins are another client after a reload, and their queue outlives that.
 */
export function onceMembers(session: OnceSession, parts: OnceParts): Members {
  const { journal } = parts;
  const { clientId } = session;
  let running = 0;
  const stops = new Map<string, () => void>();
  const runOnce = async (
    key: string,
    service: string,
    name: string,
    bytes: Uint8Array,
    signature: string,
  ): Promise<[Uint8Array, string]> => {
    checkKey(key);
    const payload = readPayload(signature, bytes);
    refuseMotion(parts.classes, service, name);
    if (running >= MAX_RUNNING)
      throw overLimit(`More than ${MAX_RUNNING} queued calls of this client are under way; wait for some of them.`, {
        limit: 'runningOnce',
        maximum: MAX_RUNNING,
      });
    running += 1;
    try {
      const result = await journal.runOnce({ clientId, key, service, method: name }, () =>
        makeCall(session, parts, { service, name, payload, onAborted: (stop) => stops.set(key, stop) }),
      );
      return [result.bytes, result.signature];
    } finally {
      running -= 1;
      stops.delete(key);
    }
  };
  return {
    runOnce: {
      ...method('(sssrs)', '(rs)', runOnce, {
        description: 'Calls a method once for each key, however often it is asked to.',
        parameters: ['key', 'service', 'method', 'payload', 'signature'],
        returnDescription: 'The result and its signature.',
      }),
      isRelay: true,
    },
    stopOnce: method('(s)', 'v', (key: string) => stops.get(key)?.(), {
      description: 'Asks a method that is under way with this key to stop.',
      parameters: ['key'],
    }),
    outcomesTaken: method(
      '([s])',
      'v',
      (keys: readonly string[]) => {
        if (keys.length > MAX_KEYS) throw tooMany();
        return journal.taken(clientId, keys);
      },
      { description: 'What calls with these keys came to is known to the client.', parameters: ['keys'] },
    ),
    journalId: method('()', 's', () => `${journal.id} ${clientId}`, {
      description: 'Changes when the agent does not know any more which calls this client made.',
    }),
  };
}

function tooMany(): QiwayError {
  return overLimit(`At most ${MAX_KEYS} keys at once.`, { limit: 'keys', maximum: MAX_KEYS });
}

interface OnceCall {
  readonly service: string;
  readonly name: string;
  readonly payload: Payload;
  readonly onAborted: (stop: () => void) => void;
}

async function makeCall(session: OnceSession, parts: OnceParts, call: OnceCall): Promise<KeptResult> {
  const { bus, clock, guard } = parts;
  const { service, name, payload, onAborted } = call;
  if (service === DIRECTORY)
    throw new QiwayError('forbidden', 'Calls to the service directory cannot wait.', {
      data: { reason: 'directory' },
    });
  const { serviceId } = await bus.serviceInfo(service);
  const object = await bus.service(service);
  try {
    const action = actionOf(object, service, name);
    const refusal =
      guard?.isOnDuty === true
        ? guard.refuse({ service: serviceId, object, action, payload, isLate: false })
        : undefined;
    if (refusal !== undefined) throw refusal;
    const answer = await callObject(
      object,
      { action, payload, caller: session.caller },
      { clock, timeoutMs: CALL_TIMEOUT_MS, onAborted },
    );
    return keptResult(answer, `${service}.${name}`);
  } finally {
    object.release();
  }
}

function keptResult(answer: Payload, name: string): KeptResult {
  const count = answer.objects.length;
  releasePayload(answer);
  if (count === 0) return { signature: answer.signature, bytes: answer.bytes };
  throw new QiwayError(
    'result-not-kept',
    `${name} ran, and returned an object, which cannot be kept for later. Call it without offline.`,
    { data: { reason: 'object' }, maybeExecuted: true },
  );
}

/** @throws `member-not-found` */
function actionOf({ metaObject }: BusObject, service: string, fullName: string): number {
  for (const { uid, name, parametersSignature } of metaObject.methods.values())
    if (`${name}::${parametersSignature}` === fullName) return uid;
  const at = fullName.indexOf('::');
  for (const { uid, name, parametersSignature } of metaObject.methods.values())
    if (at > 0 && name === fullName.slice(0, at) && isSameSignature(parametersSignature, fullName.slice(at + 2)))
      return uid;
  throw new QiwayError('member-not-found', `${service} has no method ${fullName} (any more).`, {
    data: { member: fullName },
  });
}

/** @throws `forbidden` */
function refuseMotion({ classOf }: ClassTable, service: string, fullName: string): void {
  const at = fullName.indexOf('::');
  const member = at < 0 ? fullName : fullName.slice(0, at);
  if (classOf(service, member) !== 'motion') return;
  throw new QiwayError(
    'forbidden',
    `${service}.${member} moves the robot: its calls do not wait. Call it without offline.`,
    {
      data: { reason: 'motion' },
    },
  );
}

function checkKey(key: string): void {
  if (key.length > 0 && key.length <= MAX_KEY_LENGTH) return;
  throw new QiwayError('invalid-argument', `A key has 1 to ${MAX_KEY_LENGTH} characters.`, {
    data: { expected: 'a key' },
  });
}

/**
 * Bytes from outside go to a service of this bus: they must follow the signature, and may name no object.
 * @throws `invalid-argument`
 */
function readPayload(signature: string, bytes: Uint8Array): Payload {
  let objects = NO_OBJECTS;
  try {
    const read = ({ object }: { readonly object: number }): null => {
      objects = []; // even a null object needs a look on its way
      if (object === 0) return null;
      throw new QiwayError('wire-invalid', 'it names an object.');
    };
    const codec = { read, is: () => false, write: () => undefined };
    decodeValue(signature, bytes, { exact: true, ...(holdsObjects(signature) && { objects: codec }) });
    return { signature, bytes, objects };
  } catch (cause) {
    const reason = isQiwayError(cause) ? sentenceOf(cause) : String(cause);
    throw new QiwayError('invalid-argument', `The arguments are not ${signature} without objects: ${reason}`, {
      data: { expected: signature },
      cause,
    });
  }
}
