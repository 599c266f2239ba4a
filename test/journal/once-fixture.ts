// The session object's members for calls that run once, and a bus with one service to call.
import type { Payload } from '@qiway/protocol/bus/bus';
import { callObject } from '@qiway/protocol/bus/call';
import type { Clock } from '@qiway/protocol/clock';
import { EmbeddedBus } from '@qiway/protocol/directory/embedded-bus';
import { createClassTable } from '@qiway/protocol/member-class';
import { createObject, type HostedObject } from '@qiway/protocol/objects/hosted-object';
import { decodePayload, encodePayload, plainObjects } from '@qiway/protocol/objects/values';
import { type OnceParts, onceMembers } from '../../robot-agent/journal/once-members.ts';

export async function counterBus(counter: HostedObject): Promise<EmbeddedBus> {
  const bus = new EmbeddedBus({ machineId: 'machine', processId: 1, sessionId: 'session' });
  await bus.host('Counter', counter);
  return bus;
}

export interface OnceObject {
  readonly object: HostedObject;
  readonly clock: Clock;
}

export function onceObject(parts: Omit<OnceParts, 'classes'>, clientId = 'client'): OnceObject {
  const classes = createClassTable([['Counter.walk', 'motion']]);
  const object = createObject(onceMembers({ clientId, caller: {} }, { classes, ...parts }));
  return { object, clock: parts.clock };
}

export interface OnceCall {
  readonly key: string;
  readonly payload: Payload;
  readonly service?: string;
  readonly method?: string;
}

/** As a client does it; resolves with what the service answered. */
export async function callOnce(once: OnceObject, call: OnceCall): Promise<Payload> {
  const { key, payload, service = 'Counter', method = 'count::(s)' } = call;
  const [bytes, signature] = (await ask(once, 'runOnce', [key, service, method, payload.bytes, payload.signature])) as [
    Uint8Array,
    string,
  ];
  return { signature, bytes, objects: [] };
}

/** Calls a member of the session object by its name. */
export async function ask({ object, clock }: OnceObject, name: string, args: readonly unknown[]): Promise<unknown> {
  const found = [...object.metaObject.methods.values()].find((each) => each.name === name);
  if (found === undefined) throw new Error(`no member ${name}`);
  const payload = encodePayload(found.parametersSignature, args, plainObjects);
  const answer = await callObject(object, { action: found.uid, payload }, { clock, timeoutMs: 60_000 });
  return decodePayload(answer, plainObjects);
}
