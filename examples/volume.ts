// A property: read it, set it, follow it.
import { connect, type Property } from '@qiway/sdk';

interface Services {
  ALTextToSpeech: { volume: Property<number> };
}

const [url = 'http://127.0.0.1:8080/'] = process.argv.slice(2);
await using robot = await connect<Services>(url);
const { volume } = await robot.service('ALTextToSpeech');

const before = await volume.value();
const off = await volume.connect((percent) => console.log(`now ${percent} %`));
await volume.setValue(Math.min(before + 10, 100));
await volume.setValue(before);
await off();
console.log(`again ${await volume.value()} %`);
