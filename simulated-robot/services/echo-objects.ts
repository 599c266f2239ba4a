// The part of QiwayEcho that hands objects about: makes them, gives them back, calls them.
import type { BusObject } from '@qiway/protocol/bus/bus';
import { QiwayError } from '@qiway/protocol/errors';
import {
  createObject,
  type HostedObject,
  type Members,
  method,
  property,
  signal,
} from '@qiway/protocol/objects/hosted-object';
import type { RemoteObjects } from '@qiway/protocol/objects/remote-objects';
import { busObjectOf } from '@qiway/protocol/objects/values';
import { refuse } from './checks.ts';
import type { Surroundings } from './surroundings.ts';

const METHOD = { name: 'method', description: 'Name, or full name name::(signature)' } as const;
const ARGUMENTS = { name: 'args', description: 'List of arguments' } as const;

export function echoObjects(surroundings: Surroundings): Members {
  const { objects } = surroundings;
  let alive = 0;
  const makeCounter = (start: number): HostedObject => {
    alive += 1;
    const release = (): void => {
      alive -= 1;
      counter.release();
    };
    const counter = createCounter(start, release);
    return counter;
  };
  const callService = async (service: string, name: string, args: unknown): Promise<unknown> => {
    const bus = surroundings.bus();
    if (bus === undefined)
      throw new QiwayError('call-failed', 'The robot is not on the bus at the moment; try again later.');
    const remote = objects.wrap(await bus.service(service));
    try {
      return await callByName(objects, remote, { name, args });
    } finally {
      remote.release();
    }
  };
  return {
    makeCounter: method('(i)', 'o', makeCounter, {
      description: 'Makes an object that counts; it ends when nobody holds it.',
      parameters: [{ name: 'start', description: 'First value' }],
    }),
    makeCounters: method(
      '(I)',
      '[o]',
      (count: number) => {
        if (count > 1000) throw refuse('1000 counters at most.');
        return Array.from({ length: count }, (_, index) => makeCounter(index));
      },
      { description: 'Makes a list of counters.', parameters: [{ name: 'count', description: 'Up to 1000' }] },
    ),
    countersAlive: method('()', 'I', () => alive, { description: 'How many counters somebody holds.' }),
    echoObject: method('(o)', 'o', (object: unknown) => object, {
      description: 'Gives an object back.',
      parameters: ['object'],
    }),
    callObject: method(
      '(osm)',
      'm',
      (object: unknown, name: string, args: unknown) => callByName(objects, object, { name, args }),
      {
        description: 'Calls a method of an object that the caller gives.',
        parameters: [{ name: 'object', description: 'Anything that has the method' }, METHOD, ARGUMENTS],
        returnDescription: 'What the method returned',
      },
    ),
    callService: method(
      '(ssm)',
      'm',
      (service: string, name: string, args: unknown) => callService(service, name, args),
      {
        description: 'Lets the robot call another service of the bus, such as one hosted by a page.',
        parameters: [{ name: 'service', description: 'Name of the service' }, METHOD, ARGUMENTS],
        returnDescription: 'What the method returned',
      },
    ),
  };
}

function createCounter(start: number, onUnused: () => void): HostedObject {
  const change = (by: number): number => {
    const value = Number(counter.get('value')) + by;
    counter.set('value', value);
    counter.emit('changed', value);
    return value;
  };
  const counter = createObject(
    {
      increment: method('()', 'i', () => change(1), { description: 'Adds one.', returnDescription: 'The new value' }),
      add: method('(i)', 'i', change, {
        description: 'Adds a number.',
        parameters: ['by'],
        returnDescription: 'The new value',
      }),
      get: method('()', 'i', () => counter.get('value'), { description: 'The value.' }),
      changed: signal('(i)'),
      value: property('i', start),
    },
    { description: 'Counts.', onUnused },
  );
  return counter;
}

/** Calls a method of whatever came as an object: a remote object, one hosted here, or what one was made of. */
async function callByName(
  objects: RemoteObjects,
  object: unknown,
  call: { readonly name: string; readonly args: unknown },
): Promise<unknown> {
  if (typeof object === 'function') return apply(object, undefined, call);
  if (typeof object !== 'object' || object === null) throw refuse('There is no object that could be called.');
  // Ours came back as it is: it is called from outside like any other.
  if (busObjectOf(object) !== object) return apply(memberOf(object, call.name), object, call);
  const own = object as BusObject;
  own.retain();
  const remote = objects.wrap<Record<string, unknown>>(own);
  try {
    return await apply(memberOf(remote, call.name), remote, call);
  } finally {
    remote.release();
  }
}

function memberOf(object: object, name: string): unknown {
  return (object as Record<string, unknown>)[name];
}

function apply(run: unknown, self: unknown, call: { readonly name: string; readonly args: unknown }): unknown {
  if (typeof run !== 'function') throw refuse(`The object has no method "${call.name}".`);
  const { args } = call;
  return run.apply(self, Array.isArray(args) ? args : args === null || args === undefined ? [] : [args]);
}
