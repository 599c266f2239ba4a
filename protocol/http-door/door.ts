// The HTTP door: requests under /robot/ become calls on the bus (DESIGN, section 3). Pure: the agent's server and a service
// worker adapt to it. It does not know tokens, hosts and origins: whoever calls `handle` has let the request in.
import type { Bus, BusObject } from '../bus/bus.ts';
import type { CallLimit } from '../bus/call.ts';
import { FIRST_OWN_ACTION, StandardAction } from '../bus/metaobject.ts';
import { asQiwayError, QiwayError } from '../errors.ts';
import { fromJson, toJson } from '../objects/json.ts';
import { METAOBJECT_SIGNATURE } from '../wire/metaobject-signature.ts';
import { Dynamic } from '../wire/value.ts';
import type { TimeLimit } from '../within.ts';
import { acceptance, EVENT_STREAM, JSON_TYPE, namesType, OCTETS } from './accept.ts';
import { callForPayload, readAnswer } from './call.ts';
import type { DoorOptions, DoorRequest, DoorResponse } from './door-types.ts';
import { EventLogs } from './event-logs.ts';
import { eventStream } from './event-stream.ts';
import { chooseForJson, findMember, type Member } from './members.ts';
import { openApiDocument } from './openapi.ts';
import { readJson } from './request-body.ts';
import {
  bytesResponse,
  emptyResponse,
  jsonResponse,
  methodNotAllowed,
  notAcceptable,
  problemResponse,
} from './responses.ts';
import { describeService } from './service-record.ts';

const CALL_TIMEOUT_MS = 30_000;
const MAX_BODY_BYTES = 33_554_432;

export interface Door {
  /** Never rejects: failures are problem documents. */
  handle(request: DoorRequest): Promise<DoorResponse>;
  /** Ends the subscriptions that were kept for readers, who are told. */
  close(): void;
}

/** What the door needs of a bus. */
export type DoorBus = Pick<Bus, 'services' | 'service' | 'listen'>;

/** @param bus not closed by the door */
export function createDoor(bus: DoorBus, options: DoorOptions): Door {
  const limit: TimeLimit = { clock: options.clock, timeoutMs: options.callTimeoutMs ?? CALL_TIMEOUT_MS };
  const logs = new EventLogs(limit, options.newEpoch);
  const room: Room = { bus, logs, options, limit };
  const stopListening = bus.listen({
    serviceRemoved: ({ name }) =>
      logs.endService(name, new QiwayError('service-gone', `${name} left the bus.`, { data: { service: name } })),
  });
  return {
    async handle(request) {
      let response: DoorResponse;
      try {
        response = await route(room, request);
      } catch (thrown) {
        response = failure(asQiwayError(thrown));
      }
      return request.method === 'HEAD' ? withoutBody(response) : response;
    },
    close: () => {
      stopListening();
      logs.close();
    },
  };
}

interface Room {
  readonly bus: DoorBus;
  readonly logs: EventLogs;
  readonly options: DoorOptions;
  /** For what is asked of the bus. */
  readonly limit: TimeLimit;
}

function failure(error: QiwayError): DoorResponse {
  const what = error.code === 'unsupported' ? (error.data as { readonly what?: string }).what : undefined;
  return problemResponse(error, what === 'content-type' || what === 'content-encoding' ? { status: 415 } : {});
}

function withoutBody(response: DoorResponse): DoorResponse {
  if (response.body instanceof Uint8Array) {
    return {
      ...response,
      headers: { ...response.headers, 'content-length': String(response.body.length) },
      body: new Uint8Array(0),
    };
  }
  void response.body[Symbol.asyncIterator]().return?.();
  return { ...response, body: new Uint8Array(0) };
}

async function route(room: Room, request: DoorRequest): Promise<DoorResponse> {
  const segments = readPath(request.path);
  const [root, area, service, name] = segments;
  if (root === 'robot' && segments.length === 2 && area === 'openapi.json') {
    return read(request, async () => jsonResponse(await openApiDocument(room.bus, room.options.version ?? '0')));
  }
  if (root === 'robot' && area === 'services') {
    if (service === undefined)
      return read(request, async () => jsonResponse((await room.bus.services()).map(describeService)));
    if (segments.length === 3)
      return withService(room, service, (object) =>
        read(request, async () => jsonResponse(describeObject(service, object))),
      );
    if (segments.length === 4 && name !== undefined) {
      return withService(room, service, (object) =>
        serveMember(room, request, { object, service, member: findMember(object.metaObject, name, service) }),
      );
    }
  }
  const known = '/robot/services, /robot/services/SERVICE, /robot/services/SERVICE/MEMBER and /robot/openapi.json';
  return problemResponse(
    new QiwayError('unsupported', `There is nothing here. There are ${known}.`, { data: { what: 'path' } }),
    { status: 404 },
  );
}

/** Decoded parts of the path, without the query and a slash at the end. */
function readPath(path: string): string[] {
  const [bare = ''] = path.split('?');
  try {
    return bare.replace(/^\//, '').replace(/\/$/, '').split('/').map(decodeURIComponent);
  } catch (cause) {
    throw new QiwayError('invalid-argument', 'The path is not percent-encoded UTF-8.', { data: { path: bare }, cause });
  }
}

async function withService<T>({ bus }: Room, service: string, use: (object: BusObject) => Promise<T>): Promise<T> {
  const object = await bus.service(service);
  try {
    return await use(object);
  } finally {
    object.release();
  }
}

/** A resource that can only be read, as JSON. */
async function read(request: DoorRequest, answer: () => Promise<DoorResponse>): Promise<DoorResponse> {
  const allow = 'GET, HEAD, OPTIONS';
  if (request.method === 'OPTIONS') return emptyResponse(204, { allow });
  if (request.method !== 'GET' && request.method !== 'HEAD') return methodNotAllowed(request.method, allow);
  if (acceptance(request.headers['accept'], JSON_TYPE) === 0) return notAcceptable('The answer is application/json.');
  return answer();
}

function describeObject(service: string, object: BusObject): unknown {
  return { name: service, ...(toJson(METAOBJECT_SIGNATURE, object.metaObject) as object) };
}

interface Target {
  readonly object: BusObject;
  readonly service: string;
  readonly member: Member;
}

async function serveMember(room: Room, request: DoorRequest, target: Target): Promise<DoorResponse> {
  const { methods, signal, property } = target.member;
  const verbs = [
    ...(signal === undefined && property === undefined ? [] : ['GET', 'HEAD']),
    ...(property === undefined ? [] : ['PUT']),
    ...(methods.length === 0 ? [] : ['POST']),
    'OPTIONS',
  ];
  const allow = verbs.join(', ');
  if (!verbs.includes(request.method)) return methodNotAllowed(request.method, allow);
  const limit: CallLimit = { ...room.limit, onAborted: request.onAborted };
  switch (request.method) {
    case 'OPTIONS':
      return emptyResponse(204, { allow });
    case 'POST':
      return callMethod(room, request, { ...target, limit });
    case 'PUT':
      return putProperty(room, request, { ...target, limit });
    default:
      if (property === undefined || namesType(request.headers['accept'], EVENT_STREAM))
        return listen(room, request, target);
      if (acceptance(request.headers['accept'], JSON_TYPE) === 0)
        return notAcceptable('A property is application/json, or text/event-stream for its changes.');
      return jsonResponse({ value: await readProperty({ ...target, limit }) });
  }
}

type LimitedTarget = Target & { readonly limit: CallLimit };

async function callMethod(
  room: Room,
  request: DoorRequest,
  { object, service, member, limit }: LimitedTarget,
): Promise<DoorResponse> {
  const accept = request.headers['accept'];
  const json = (await readJson(request, room.options.maxBodyBytes ?? MAX_BODY_BYTES)) ?? [];
  if (!Array.isArray(json))
    throw new QiwayError('invalid-argument', 'The body must be a JSON array of the arguments.', {
      data: { expected: 'array', path: '' },
    });
  const { method, value } = chooseForJson(member, json);
  const mayBeRaw = method.returnSignature === 'r' || method.returnSignature === 'm';
  if (acceptance(accept, JSON_TYPE) === 0 && !(mayBeRaw && acceptance(accept, OCTETS) > 0)) {
    return notAcceptable(`The result is application/json${mayBeRaw ? ' or application/octet-stream' : ''}.`);
  }
  if (method.uid >= FIRST_OWN_ACTION || method.uid === StandardAction.setProperty) admit(room, service, method.name);
  room.options.onCall?.();
  const answer = await callForPayload(
    object,
    { action: method.uid, signature: method.parametersSignature, value },
    limit,
  );
  const { json: result, raw } = readAnswer(answer, method.returnSignature);
  const wantsRaw = namesType(accept, OCTETS) && acceptance(accept, OCTETS) >= acceptance(accept, JSON_TYPE);
  return raw !== undefined && wantsRaw ? bytesResponse(raw) : jsonResponse({ result });
}

/** Last thing before a call: what was free when its body began to arrive may not be so any more. @throws what refuses it */
function admit({ options }: Room, service: string, member: string): void {
  const refusal = options.refuse?.(service, member);
  if (refusal !== undefined) throw refusal;
}

async function readProperty({ object, member, limit }: LimitedTarget): Promise<unknown> {
  const { uid, signature } = member.property as { uid: number; signature: string };
  const answer = await callForPayload(
    object,
    { action: StandardAction.property, signature: '(m)', value: [new Dynamic('I', uid)] },
    limit,
  );
  return readAnswer(answer, signature).json;
}

async function putProperty(room: Room, request: DoorRequest, target: LimitedTarget): Promise<DoorResponse> {
  const { uid, signature } = target.member.property as { uid: number; signature: string };
  const body = await readJson(request, room.options.maxBodyBytes ?? MAX_BODY_BYTES);
  if (typeof body !== 'object' || body === null || !Object.hasOwn(body, 'value')) {
    throw new QiwayError('invalid-argument', 'The body must be {"value": …}.', {
      data: { expected: '{"value": …}', path: '' },
    });
  }
  const value = fromJson(signature, (body as { readonly value: unknown }).value);
  const dynamic = signature === 'm' ? value : new Dynamic(signature, value);
  admit(room, target.service, target.member.name);
  room.options.onCall?.();
  const done = await callForPayload(
    target.object,
    { action: StandardAction.setProperty, signature: '(mm)', value: [new Dynamic('I', uid), dynamic] },
    target.limit,
  );
  readAnswer(done, 'v');
  // Read back: the service may have stored another value than the one given.
  return jsonResponse({ value: await readProperty(target) });
}

async function listen(room: Room, request: DoorRequest, { object, service, member }: Target): Promise<DoorResponse> {
  if (!namesType(request.headers['accept'], EVENT_STREAM))
    return notAcceptable('A signal is text/event-stream: ask for it with Accept.');
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
  const lastEventId = request.headers['last-event-id'];
  return {
    status: 200,
    headers: {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    },
    body: eventStream({ clock: room.options.clock, hold, lastEventId }),
  };
}
