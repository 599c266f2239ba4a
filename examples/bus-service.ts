// A service on the robot's own bus, in Node: every program on the bus can use it, and through the agent every page.
// Run: node examples/bus-service.ts tcp://127.0.0.1:9559
import { createObject, joinBus, method, signal } from '@qiway/robot-agent/qi';

const [busUrl = 'tcp://127.0.0.1:9559'] = process.argv.slice(2);
const bus = await joinBus(busUrl);
const counter = createObject({
  next: method('()', 'i', () => {
    count += 1;
    counter.emit('counted', count);
    return count;
  }),
  counted: signal('(i)'),
});
let count = 0;
const hosted = await bus.host('ExampleCounter', counter);
console.log(`ExampleCounter is service ${hosted.serviceId}`);
process.once('SIGTERM', () => void bus.close());
const reason = await hosted.closed;
console.log(`ExampleCounter is off the bus${reason === undefined ? '' : `: ${reason.message}`}`);
