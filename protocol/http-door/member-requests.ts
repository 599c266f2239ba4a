// Requests to one member of a service: calls, questions, properties, signals. Pure.
import type { BusObject } from '../bus/bus.ts';
import type { CallLimit } from '../bus/call.ts';
import { FIRST_OWN_ACTION, type MetaMethod, StandardAction } from '../bus/metaobject.ts';
import { asQiwayError, QiwayError } from '../errors.ts';
import { fromJson } from '../objects/json.ts';
import { Dynamic } from '../wire/value.ts';
import type { TimeLimit } from '../within.ts';
import { EVENT_STREAM, FRAMES, OCTETS } from './accept.ts';
import { type AnswerFormat, formAnswer, refuseForm, wantedForm } from './answer-forms.ts';
import { type Answer, callForPayload, readAnswer } from './call.ts';
import type { DoorBus, DoorOptions, DoorRequest, DoorResponse } from './door-types.ts';
import type { EventLogs } from './event-logs.ts';
import { eventStream } from './event-stream.ts';
import { FRAME_BOUNDARY, frameStream } from './frame-stream.ts';
import { chooseForBytes, chooseForJson, type Member, type ReadyCall } from './members.ts';
import { pictureOf, takenAt } from './pictures.ts';
import { type Query, readQuery } from './query.ts';
import { bodyType, readBytes, readJson } from './request-body.ts';
import { emptyResponse, jsonResponse, methodNotAllowed, notAcceptable } from './responses.ts';

const MAX_BODY_BYTES = 33_554_432;
const FRAMES_PER_SECOND = 10;

/** What the requests of a door share. */
export interface Room {
  readonly bus: DoorBus;
  readonly logs: EventLogs;
  readonly options: DoorOptions;
  /** For what is asked of the bus. */
  readonly limit: TimeLimit;
}

export interface Target {
  readonly object: BusObject;
  readonly service: string;
  readonly member: Member;
}

/** A request to a target, read. */
interface Ask extends Target {
  readonly room: Room;
  readonly request: DoorRequest;
  readonly query: Query;
  /** The query's `as`, else the header. */
  readonly accept: string | undefined;
  readonly limit: CallLimit;
}

export async function serveMember(room: Room, request: DoorRequest, target: Target): Promise<DoorResponse> {
  const { methods, signal, property } = target.member;
  const isAsked = isQuestion(room.options, target.service, methods);
  const verbs = [
    ...(signal === undefined && property === undefined && !isAsked ? [] : ['GET', 'HEAD']),
    ...(property === undefined ? [] : ['PUT']),
    ...(methods.length === 0 ? [] : ['POST']),
    'OPTIONS',
  ];
  const allow = verbs.join(', ');
  if (!verbs.includes(request.method)) return methodNotAllowed(request.method, allow);
  if (request.method === 'OPTIONS') return emptyResponse(204, { allow });
  const query = readQuery(request.path);
  const accept = query.as ?? request.headers['accept'];
  const ask: Ask = {
    ...target,
    room,
    request,
    query,
    accept,
    limit: { ...room.limit, onAborted: request.onAborted },
  };
  switch (request.method) {
    case 'POST':
      return callMethod(ask, await readCall(ask));
    case 'PUT':
      return putProperty(ask);
    default:
      if (property !== undefined) return getProperty(ask);
      return signal === undefined ? askQuestion(ask) : listen(ask);
  }
}

/** How members are called that do something: made again they do no more, but nobody may make them by following a link. */
const DOING =
  /^(set|unset|load|show|hide|turn|stop|kill|pause|reset|fade|insert|remove|declare|subscribe|unsubscribe|release)(?![a-z])/;

/** Asked again it does the same, so browsers and proxies may ask as they like; and it has something to answer. */
export function isQuestion({ classOf }: DoorOptions, service: string, methods: readonly MetaMethod[]): boolean {
  const [first] = methods;
  return (
    first !== undefined &&
    first.uid >= FIRST_OWN_ACTION &&
    classOf?.(service, first.name) === 'idempotent' &&
    !DOING.test(first.name) &&
    methods.some((method) => method.returnSignature !== 'v')
  );
}

async function readCall({ room, request, query, member }: Ask): Promise<ReadyCall> {
  const maxBytes = room.options.maxBodyBytes ?? MAX_BODY_BYTES;
  if (bodyType(request) === OCTETS) return chooseForBytes(member, query.args, await readBytes(request, maxBytes));
  const json = (await readJson(request, maxBytes)) ?? query.args;
  if (!Array.isArray(json))
    throw new QiwayError('invalid-argument', 'The body must be a JSON array of the arguments.', {
      data: { expected: 'array', path: '' },
    });
  return chooseForJson(member, json);
}

function formatOf({ room, request, accept }: Ask, of: Pick<AnswerFormat, 'key' | 'declared'>): AnswerFormat {
  return { request, accept, form: wantedForm(accept), deflate: room.options.deflate, ...of };
}

async function callMethod(ask: Ask, call: ReadyCall): Promise<DoorResponse> {
  const format = formatOf(ask, { key: 'result', declared: [call.method.returnSignature] });
  return refuseForm(format) ?? formAnswer(await makeCall(ask, call), format);
}

async function makeCall({ room, object, service, limit }: Ask, { method, value }: ReadyCall): Promise<Answer> {
  if (method.uid >= FIRST_OWN_ACTION || method.uid === StandardAction.setProperty) admit(room, service, method.name);
  room.options.onCall?.();
  const call = { action: method.uid, signature: method.parametersSignature, value };
  return readAnswer(await callForPayload(object, call, limit), method.returnSignature);
}

/** Last thing before a call: what was free when its body began to arrive may not be so any more. @throws what refuses it */
function admit({ options }: Room, service: string, member: string): void {
  const refusal = options.refuse?.(service, member);
  if (refusal !== undefined) throw refusal;
}

async function askQuestion(ask: Ask): Promise<DoorResponse> {
  const call = chooseForJson(ask.member, ask.query.args);
  if (call.method.returnSignature === 'v') return methodNotAllowed(ask.request.method, 'POST, OPTIONS');
  return wantedForm(ask.accept) === 'frames' ? frames(ask, call) : callMethod(ask, call);
}

/** Pictures, for as long as somebody looks. */
function frames(ask: Ask, call: ReadyCall): DoorResponse {
  const { room, query, object } = ask;
  let shown: string | undefined;
  const { clock, deflate } = room.options;
  object.retain();
  const stream = frameStream({
    clock,
    framesPerSecond: query.framesPerSecond ?? FRAMES_PER_SECOND,
    take: async (onAborted) => {
      const { value } = await makeCall({ ...ask, limit: { ...room.limit, onAborted } }, call);
      const at = takenAt(value);
      if (at !== undefined && at === shown) return undefined;
      shown = at;
      const picture = await pictureOf(value, deflate);
      if (picture === undefined) throw new QiwayError('unsupported', 'The answer is no picture that can be shown.');
      return picture === 'none' ? undefined : picture;
    },
    ended: () => object.release(),
  });
  return {
    status: 200,
    headers: {
      'content-type': `${FRAMES}; boundary=${FRAME_BOUNDARY}`,
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    },
    body: stream,
  };
}

async function getProperty(ask: Ask): Promise<DoorResponse> {
  if (wantedForm(ask.accept) === 'events') return listen(ask);
  const { signature } = ask.member.property as { signature: string };
  const format = formatOf(ask, { key: 'value', declared: [signature] });
  return refuseForm(format) ?? formAnswer(await readProperty(ask), format);
}

async function readProperty({ object, member, limit }: Ask): Promise<Answer> {
  const { uid, signature } = member.property as { uid: number; signature: string };
  const answer = await callForPayload(
    object,
    { action: StandardAction.property, signature: '(m)', value: [new Dynamic('I', uid)] },
    limit,
  );
  return readAnswer(answer, signature);
}

async function putProperty(ask: Ask): Promise<DoorResponse> {
  const { room, object, service, member, limit } = ask;
  const { uid, signature } = member.property as { uid: number; signature: string };
  const value = await readValue(ask, signature);
  const dynamic = signature === 'm' ? value : new Dynamic(signature, value);
  admit(room, service, member.name);
  room.options.onCall?.();
  const done = await callForPayload(
    object,
    { action: StandardAction.setProperty, signature: '(mm)', value: [new Dynamic('I', uid), dynamic] },
    limit,
  );
  readAnswer(done, 'v');
  // Read back: the service may have stored another value than the one given.
  return jsonResponse({ value: (await readProperty(ask)).json });
}

async function readValue({ room, request, member }: Ask, signature: string): Promise<unknown> {
  const maxBytes = room.options.maxBodyBytes ?? MAX_BODY_BYTES;
  if (bodyType(request) === OCTETS) {
    if (signature === 'r' || signature === 'm') return readBytes(request, maxBytes);
    throw new QiwayError('invalid-argument', `${member.name} takes no bytes, but ${signature}.`, {
      data: { expected: signature, path: '' },
    });
  }
  const body = await readJson(request, maxBytes);
  if (typeof body !== 'object' || body === null || !Object.hasOwn(body, 'value')) {
    throw new QiwayError('invalid-argument', 'The body must be {"value": …}.', {
      data: { expected: '{"value": …}', path: '' },
    });
  }
  return fromJson(signature, (body as { readonly value: unknown }).value);
}

async function listen({ room, request, query, accept, object, service, member }: Ask): Promise<DoorResponse> {
  if (wantedForm(accept) !== 'events')
    return notAcceptable('A signal is text/event-stream: ask for it with Accept, or with ?as=events.');
  const { signal, property } = member;
  const uid = (property ?? signal)?.uid as number;
  const declared = property === undefined ? (signal?.signature ?? 'm') : `(${property.signature})`;
  object.retain();
  const hold = await room.logs.open({ service, signal: uid }, object, (payload) => {
    try {
      const { json } = readAnswer(payload, declared);
      return JSON.stringify(property === undefined ? json : { value: Array.isArray(json) ? json[0] : json });
    } catch (error) {
      return JSON.stringify({ problem: asQiwayError(error).code });
    }
  });
  return {
    status: 200,
    headers: {
      'content-type': `${EVENT_STREAM}; charset=utf-8`,
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    },
    body: eventStream({
      clock: room.options.clock,
      hold,
      lastEventId: request.headers['last-event-id'] ?? query.lastEventId,
    }),
  };
}
