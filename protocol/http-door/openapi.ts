// An OpenAPI 3.1 document of all that the door offers, made from the live metaobjects. Pure.
import type { Bus } from '../bus/bus.ts';
import {
  FIRST_OWN_ACTION,
  type MetaMethod,
  type MetaObject,
  type MetaProperty,
  type MetaSignal,
} from '../bus/metaobject.ts';
import { QiwayError } from '../errors.ts';
import { type JsonSchema, jsonSchema, jsonSchemaOfArguments } from '../objects/json-schema.ts';
import { parseSignature } from '../wire/signature.ts';

/** Names that begin so are hidden by custom. */
const HIDDEN = '_';

type Part = { readonly [key: string]: unknown };

export interface OpenApiOptions {
  /** Of the API: the agent's. */
  readonly version: string;
  /** Can the member be asked with GET? */
  readonly isQuestion: (service: string, methods: readonly MetaMethod[]) => boolean;
}

/** Services that cannot be reached at the moment, or whose metaobject is nonsense, are left out. @throws as `Bus.services` */
export async function openApiDocument(bus: Pick<Bus, 'services' | 'service'>, options: OpenApiOptions): Promise<Part> {
  const names = (await bus.services()).map((info) => info.name).filter((name) => !name.startsWith(HIDDEN));
  const described = await Promise.all(
    names.sort().map(async (name) => ({ name, ...(await description(bus, name, options)) })),
  );
  const present = described.filter((entry): entry is { name: string } & Description => entry.metaObject !== undefined);
  return {
    openapi: '3.1.0',
    info: {
      title: 'Robot',
      version: options.version,
      description: 'The services of a robot: methods, signals (server-sent events) and properties.',
    },
    tags: present.map(({ name, metaObject }) => ({ name, ...descriptionOf(metaObject.description) })),
    paths: Object.assign({}, readOnlyPaths(), ...present.map(({ paths }) => paths)),
    security: [{ token: [] }],
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
      schemas: { Problem: problemSchema },
      responses: {
        Problem: {
          description: 'A failure (RFC 9457)',
          content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
        },
      },
    },
  };
}

interface Description {
  readonly metaObject: MetaObject;
  readonly paths: Part;
}

async function description(
  bus: Pick<Bus, 'service'>,
  name: string,
  options: OpenApiOptions,
): Promise<Description | { readonly metaObject?: undefined }> {
  try {
    const object = await bus.service(name);
    const { metaObject } = object;
    object.release();
    return { metaObject, paths: pathsOf(name, metaObject, options) };
  } catch (error) {
    if (error instanceof QiwayError) return {};
    throw error;
  }
}

const problemSchema: JsonSchema = {
  type: 'object',
  required: ['type', 'title', 'status', 'detail', 'code', 'data'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    code: { type: 'string', description: 'the code of the error, the same as in the SDK' },
    data: { type: 'object', description: 'what is known beside, per code' },
    maybeExecuted: { type: 'boolean', description: 'true when the call may have run although no answer came' },
  },
};

const problem: Part = { $ref: '#/components/responses/Problem' };

function descriptionOf(description: string): Part {
  return description === '' ? {} : { description };
}

function answer(schema: JsonSchema, key: 'result' | 'value'): Part {
  return { 'application/json': { schema: { type: 'object', required: [key], properties: { [key]: schema } } } };
}

function readOnlyPaths(): Part {
  const get = (operationId: string, description: string, schema: JsonSchema): Part => ({
    get: {
      operationId,
      responses: { '200': { description, content: { 'application/json': { schema } } }, default: problem },
    },
  });
  const service = { name: 'service', in: 'path', required: true, schema: { type: 'string' } };
  return {
    '/robot/services': get('services', 'All services', { type: 'array', items: { type: 'object' } }),
    '/robot/services/{service}': {
      parameters: [service],
      ...get('metaObject', 'The metaobject of a service', { type: 'object' }),
    },
  };
}

function pathsOf(service: string, { methods, signals, properties }: MetaObject, { isQuestion }: OpenApiOptions): Part {
  const items = new Map<string, Record<string, unknown>>();
  const isShown = (member: { readonly uid: number; readonly name: string }): boolean =>
    member.uid >= FIRST_OWN_ACTION && !member.name.startsWith(HIDDEN);
  const itemOf = (name: string): Record<string, unknown> => {
    const path = `/robot/services/${encodeURIComponent(service)}/${encodeURIComponent(name)}`;
    const item = items.get(path) ?? {};
    items.set(path, item);
    return item;
  };
  const own = [...methods.values()].filter(isShown);
  for (const name of new Set(own.map((method) => method.name))) {
    const overloads = own.filter((method) => method.name === name);
    itemOf(name)['post'] = { operationId: `${service}.${name}`, tags: [service], ...methodOperation(overloads) };
    if (isQuestion(service, overloads))
      itemOf(name)['get'] = { operationId: `${service}.${name}.ask`, tags: [service], ...questionOperation(overloads) };
  }
  for (const signal of signals.values()) {
    if (isShown(signal) && !properties.has(signal.uid))
      itemOf(signal.name)['get'] = {
        operationId: `${service}.${signal.name}.watch`,
        tags: [service],
        ...signalOperation(signal),
      };
  }
  for (const property of properties.values()) {
    if (isShown(property)) Object.assign(itemOf(property.name), propertyOperations(service, property));
  }
  return Object.fromEntries(items);
}

function methodOperation(overloads: readonly MetaMethod[]): Part {
  const bodies = overloads.map((method) => jsonSchemaOfArguments(method.parametersSignature, method.parameters));
  const descriptions = overloads.map((method) => method.description).filter((text) => text !== '');
  return {
    ...descriptionOf([...new Set(descriptions)].join('\n\n')),
    requestBody: {
      description: `Array of the arguments: ${overloads.map((method) => method.parametersSignature).join(' or ')}`,
      required: overloads.every((method) => method.parametersSignature !== '()'),
      content: {
        'application/json': { schema: oneOf(bodies) },
        ...(overloads.some(takesBytes) ? { 'application/octet-stream': {} } : {}),
      },
    },
    responses: methodResponses(overloads, false),
  };
}

/** Its last argument may be the body as it is. */
function takesBytes(method: MetaMethod): boolean {
  const signature = parseSignature(method.parametersSignature);
  const last = signature.kind === 'tuple' ? signature.members.at(-1)?.kind : undefined;
  return last === 'raw' || last === 'dynamic';
}

function methodResponses(overloads: readonly MetaMethod[], isShown: boolean): Part {
  const results = overloads.map((method) => jsonSchema(method.returnSignature));
  const returned = overloads.map((method) => method.returnDescription).find((text) => text !== '');
  const mayBeRaw = overloads.some((method) => method.returnSignature === 'r' || method.returnSignature === 'm');
  return {
    '200': {
      description: returned ?? 'The result',
      content: {
        ...answer(oneOf(results), 'result'),
        ...(mayBeRaw ? { 'application/octet-stream': {} } : {}),
        ...(mayBeRaw && isShown ? { 'image/*': {}, 'multipart/x-mixed-replace': {} } : {}),
      },
    },
    default: problem,
  };
}

function questionOperation(overloads: readonly MetaMethod[]): Part {
  const schema = oneOf(overloads.map((method) => jsonSchemaOfArguments(method.parametersSignature, method.parameters)));
  return {
    parameters: [
      {
        name: 'args',
        in: 'query',
        required: overloads.every((method) => method.parametersSignature !== '()'),
        description: 'Array of the arguments',
        content: { 'application/json': { schema } },
      },
    ],
    responses: methodResponses(overloads, true),
  };
}

function oneOf(schemas: readonly JsonSchema[]): JsonSchema {
  const distinct = [...new Map(schemas.map((schema) => [JSON.stringify(schema), schema])).values()];
  return distinct.length === 1 ? (distinct[0] as JsonSchema) : { anyOf: distinct };
}

function signalOperation(signal: MetaSignal): Part {
  return {
    parameters: [lastEventId],
    responses: {
      '200': {
        description: `Events; data is a JSON array ${signal.signature}`,
        content: { 'text/event-stream': { schema: { type: 'string' } } },
      },
      default: problem,
    },
  };
}

const lastEventId: Part = {
  name: 'Last-Event-ID',
  in: 'header',
  required: false,
  schema: { type: 'string' },
  description: 'Resumes after this event',
};

function propertyOperations(service: string, property: MetaProperty): Part {
  const content = answer(jsonSchema(property.signature), 'value');
  const value = { '200': { description: 'The value', content }, default: problem };
  const watched = {
    '200': {
      description: 'The value; its changes as text/event-stream',
      content: { ...content, 'text/event-stream': { schema: { type: 'string' } } },
    },
    default: problem,
  };
  const about = { tags: [service] };
  return {
    get: { operationId: `${service}.${property.name}.get`, ...about, parameters: [lastEventId], responses: watched },
    put: {
      operationId: `${service}.${property.name}.set`,
      ...about,
      requestBody: { required: true, content },
      responses: value,
    },
  };
}
