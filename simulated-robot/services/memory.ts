// ALMemory: data by key, and events. A subscriber is an object with one signal, as every NAOqi program uses it.
import { createObject, type HostedObject, method, signal } from '@qiway/protocol/objects/hosted-object';
import { textWithin } from './checks.ts';
import type { Surroundings } from './surroundings.ts';

const KEY = { name: 'key', description: 'Name of the data' } as const;
const EVENT = { name: 'event', description: 'Name of the event' } as const;
const VALUE = { name: 'value', description: 'Anything' } as const;

export function createMemoryService({ robot, objects }: Surroundings): HostedObject {
  const { memory } = robot;
  const insert = (key: string, value: unknown): void => memory.insert(key, value);
  const about = { description: 'Stores a value; nobody is told.', parameters: [KEY, VALUE] } as const;
  return createObject(
    {
      getData: method('(s)', 'm', (key: string) => memory.get(key), {
        description: 'The value stored for a key.',
        parameters: [KEY],
      }),
      getListData: method(
        '([s])',
        'm',
        (keys: string[]) => keys.map((key) => (memory.has(key) ? memory.get(key) : null)),
        {
          description: 'The values of several keys, null where there is none.',
          parameters: [{ name: 'keys', description: 'Names of the data' }],
        },
      ),
      insertData: [
        method('(ss)', 'v', insert, about),
        method('(si)', 'v', insert, about),
        method('(sf)', 'v', insert, about),
        method('(sm)', 'v', insert, about),
      ],
      raiseEvent: method('(sm)', 'v', (event: string, value: unknown) => memory.raise(event, value), {
        description: 'Stores a value and tells the subscribers.',
        parameters: [EVENT, VALUE],
      }),
      raiseMicroEvent: method('(sm)', 'v', (event: string, value: unknown) => memory.raiseMicro(event, value), {
        description: 'Tells the subscribers and stores nothing.',
        parameters: [EVENT, VALUE],
      }),
      declareEvent: [
        method('(s)', 'v', (event: string) => memory.declare(event), {
          description: 'Makes an event known.',
          parameters: [EVENT],
        }),
        method('(ss)', 'v', (event: string) => memory.declare(event), {
          description: 'Makes an event known.',
          parameters: [EVENT, { name: 'extractor', description: 'Who raises it' }],
        }),
      ],
      removeData: method('(s)', 'v', (key: string) => memory.remove(key), {
        description: 'Forgets a key.',
        parameters: [KEY],
      }),
      getDataList: method('(s)', '[s]', (filter: string) => memory.keys().filter((key) => key.includes(filter)), {
        description: 'Keys that contain a text.',
        parameters: [{ name: 'filter', description: 'Part of the key' }],
      }),
      getDataListName: method('()', '[s]', () => memory.keys(), { description: 'All keys.' }),
      getEventList: method('()', '[s]', () => memory.events(), {
        description: 'All events that were declared or raised.',
      }),
      subscriber: method(
        '(s)',
        'o',
        (event: string) => {
          textWithin('The name of an event', event, 256);
          const subscriber: HostedObject = createObject(
            { signal: signal('(m)') },
            {
              description: `Tells the event ${event}.`,
              mapper: objects,
              onUnused: () => {
                stop();
                subscriber.release();
              },
            },
          );
          const stop = memory.subscribe(event, (value) => subscriber.emit('signal', value));
          return subscriber;
        },
        { description: 'An object with one signal, which tells each value raised for the event.', parameters: [EVENT] },
      ),
    },
    { description: 'What the robot knows: data by key, and events.', mapper: objects },
  );
}
