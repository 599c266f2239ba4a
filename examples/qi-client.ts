// A qi program outside of the robot, in Node: comes in by the agent's qi door with its token, calls a service of the robot,
// and serves it with one of its own. Programs made with libqi in C++ or Python do the same.
// Run: node examples/qi-client.ts tcp://127.0.0.1:9600 TOKEN   (the agent started with --qi-listen tcp://127.0.0.1:9600)
import { createObject, joinBus, method, remoteServices, tokenAuthenticator } from '@qiway/robot-agent/qi';

const [url = 'tcp://127.0.0.1:9600', token = process.env['QIWAY_TOKEN'] ?? ''] = process.argv.slice(2);
// Of a tcps:// door made with a certificate of its own: tls: { fingerprints: ['sha256:…'] }.
const bus = await joinBus(url, { authenticator: tokenAuthenticator({ user: 'example', token }) });
process.once('SIGTERM', () => void bus.close());

interface Services {
  ALTextToSpeech: { say(text: string): void; getLanguage(): string };
}

const robot = remoteServices<Services>(bus);
const speech = await robot.service('ALTextToSpeech');
await speech.say('I come from outside');
console.log(`said in ${await speech.getLanguage()}`);

// Every program on the robot, and every page, can call it while this program runs.
const hosted = await bus.host(
  'ExampleGreeter',
  createObject({ greet: method('(s)', 's', (name: string) => `hello ${name}`) }),
);
console.log(`ExampleGreeter is service ${hosted.serviceId}`);
await hosted.closed;
console.log('ExampleGreeter is off the bus');
