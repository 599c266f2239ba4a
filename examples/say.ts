// The first call: connect, ask for a service, use it. Run: node examples/say.ts 'http://127.0.0.1:8080/#token=…' 'Hello'
import { connect } from '@qiway/sdk';

/** The part of the robot that this program uses; `qiway types` writes such a file for a whole robot. */
interface Services {
  ALTextToSpeech: {
    say(text: string): void;
    getLanguage(): string;
  };
}

const [url = 'http://127.0.0.1:8080/', text = 'Hello'] = process.argv.slice(2);
const robot = await connect<Services>(url);
const speech = await robot.service('ALTextToSpeech');
await speech.say(text);
console.log(`Said "${text}" in ${await speech.getLanguage()}.`);
await robot.close();
