// The HTTP door: requests under /robot/ become calls on the bus (DESIGN, section 3). Pure: the agent's server and a service
// worker adapt to it. It does not know tokens, hosts and origins: whoever calls `handle` has let the request in.
import type { BusObject } from '../bus/bus.ts';
import { asQiwayError, QiwayError } from '../errors.ts';
import { toJson } from '../objects/json.ts';
import { METAOBJECT_SIGNATURE } from '../wire/metaobject-signature.ts';
import type { TimeLimit } from '../within.ts';
import { acceptance, JSON_TYPE } from './accept.ts';
import { entityTag, isKnown, notModified } from './byte-ranges.ts';
import type { DoorBus, DoorOptions, DoorRequest, DoorResponse } from './door-types.ts';
import { EventLogs } from './event-logs.ts';
import { isQuestion, type Room, serveMember } from './member-requests.ts';
import { findMember } from './members.ts';
import { openApiDocument } from './openapi.ts';
import { emptyResponse, jsonResponse, methodNotAllowed, notAcceptable, problemResponse } from './responses.ts';
import { describeService } from './service-record.ts';

const CALL_TIMEOUT_MS = 30_000;

export interface Door {
  /** Never rejects: failures are problem documents. */
  handle(request: DoorRequest): Promise<DoorResponse>;
  /** Ends the subscriptions that were kept for readers, who are told. */
  close(): void;
}

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
    return read(room, request, () => describeAll(room));
  }
  if (root === 'robot' && area === 'services') {
    if (service === undefined) return read(room, request, async () => (await room.bus.services()).map(describeService));
    if (segments.length === 3)
      return withService(room, service, (object) => read(room, request, async () => describeObject(service, object)));
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

/** A resource that can only be read, as JSON: what the bus tells of its services. */
async function read({ options }: Room, request: DoorRequest, answer: () => Promise<unknown>): Promise<DoorResponse> {
  const allow = 'GET, HEAD, OPTIONS';
  if (request.method === 'OPTIONS') return emptyResponse(204, { allow });
  if (request.method !== 'GET' && request.method !== 'HEAD') return methodNotAllowed(request.method, allow);
  if (acceptance(request.headers['accept'], JSON_TYPE) === 0) return notAcceptable('The answer is application/json.');
  const before = options.rememberedForMs?.();
  const response = jsonResponse(await answer());
  const tag = entityTag(response.body);
  const { headers, ...rest } = isKnown(request, tag) ? notModified(tag) : response;
  const age = rememberedHeaders(options.rememberedForMs?.() ?? before);
  return { ...rest, headers: { ...headers, 'cache-control': 'no-cache', etag: tag, ...age } };
}

/** As a cache says it that cannot ask its origin: RFC 9111, section 5.1, and RFC 9211. */
function rememberedHeaders(forMs: number | undefined): Record<string, string> {
  if (forMs === undefined) return {};
  return { age: String(Math.max(0, Math.ceil(forMs / 1000))), 'cache-status': 'qiway; hit; detail=offline' };
}

function describeAll({ bus, options }: Room): Promise<unknown> {
  return openApiDocument(bus, {
    version: options.version ?? '0',
    isQuestion: (service, methods) => isQuestion(options, service, methods),
  });
}

function describeObject(service: string, object: BusObject): unknown {
  return { name: service, ...(toJson(METAOBJECT_SIGNATURE, object.metaObject) as object) };
}
