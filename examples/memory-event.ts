// The pattern of every NAOqi app: ALMemory gives an object for an event, whose signal comes with each new value.
import { connect, type RemoteObject, type Signal } from '@qiway/sdk';

interface Subscriber {
  signal: Signal<[value: unknown]>;
}

interface Services {
  ALMemory: {
    subscriber(event: string): RemoteObject<Subscriber>;
    raiseEvent(event: string, value: unknown): void;
  };
}

const [url = 'http://127.0.0.1:8080/'] = process.argv.slice(2);
await using robot = await connect<Services>(url);
const memory = await robot.service('ALMemory');
// Given back at the end of the block; without `using`, when nobody refers to it any more.
using subscriber = await memory.subscriber('Example/Greeting');
const events = subscriber.signal[Symbol.asyncIterator]();
await memory.raiseEvent('Example/Greeting', { from: 'example', times: 2 });
for await (const [greeting] of events) {
  console.log(`Greeting: ${JSON.stringify(greeting)}`);
  break;
}
