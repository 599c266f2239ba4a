// Process: the echo service of our side, on a qi bus (first argument: its URL), by the name Echo or another (second
// argument). Same work as the peers' services.
import { createObject, type HostedObject, method, signal } from '@qiway/protocol/objects/hosted-object';
import { joinBus } from '@qiway/robot-agent/qi';
import { bytesOf } from './peers/echo-work.ts';
import { ready } from './probe.ts';

const echo: HostedObject = createObject({
  echo: method('(i)', 'i', (number: number) => number),
  down: method('(I)', 'r', (size: number) => bytesOf(size)),
  up: method('(r)', 'I', (body: Uint8Array) => body.length),
  emit: method('(I)', 'v', (count: number) => {
    for (let number = 0; number < count; number += 1) echo.emit('tick', number);
  }),
  tick: signal('(i)'),
});

const bus = await joinBus(process.argv[2] ?? '');
const name = process.argv[3] ?? 'Echo';
await bus.host(name, echo);
ready(name);
