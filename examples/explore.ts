// What a robot offers, without knowing it before: every object tells what it can do.
import { connect, isQiwayError, metaObjectOf } from '@qiway/sdk';

const [url = 'http://127.0.0.1:8080/'] = process.argv.slice(2);
await using robot = await connect(url);
for (const { name } of await robot.services()) {
  const service = await robot.service(name);
  const { methods, signals, properties } = metaObjectOf(service);
  console.log(`${name}: ${methods.size} methods, ${signals.size} signals, ${properties.size} properties`);
}
// A name that is not there throws where it is written, with the nearest ones.
try {
  const speech = await robot.service('ALTextToSpeech');
  await speech['sai']?.('Hello');
} catch (error) {
  if (!isQiwayError(error)) throw error;
  console.log(error.message);
}
