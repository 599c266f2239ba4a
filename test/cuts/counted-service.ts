// A program of the robot whose service `Counted` notes what it is asked, in order, and emits numbered events. Started by
// cuts.test.ts in a process of its own, with the bus to join.
import { createObject, method, signal } from '@qiway/protocol/objects/hosted-object';
import { joinBus } from '@qiway/robot-agent/qi';

/** As a sensor that is read often; below what a link carries. */
const EVENTS_A_TICK = 40;
const TICK_MS = 5;

const [busUrl = ''] = process.argv.slice(2);
const asked: number[] = [];
let emitted = 0;
let wanted = 0;
const object = createObject({
  ask: method('(I)', 'I', (number: number) => {
    asked.push(number);
    return number;
  }),
  asked: method('()', '[I]', () => asked),
  emitUpTo: method('(I)', 'v', (count: number) => {
    wanted = count;
  }),
  counted: signal('(I)'),
});
const bus = await joinBus(busUrl);
await bus.host('Counted', object);
setInterval(() => {
  for (let count = 0; count < EVENTS_A_TICK && emitted < wanted; count += 1) {
    emitted += 1;
    object.emit('counted', emitted);
  }
}, TICK_MS);
process.stdout.write('ready\n');
