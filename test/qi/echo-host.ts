// A program of its own that hosts the Echo service on a bus; told the URL, it prints one line when it is ready.
import { joinBus } from '../../robot-agent/qi/index.ts';
import { createEchoService } from '../support/echo-service.ts';

const [url = '', name = 'Echo'] = process.argv.slice(2);
const bus = await joinBus(url);
await bus.host(name, createEchoService().object);
console.log('ready');
