// A signal, followed in a loop: each event is the list of its arguments; leaving the loop unsubscribes.
import { connect, type Signal } from '@qiway/sdk';

interface Services {
  ALTextToSpeech: {
    say(text: string): void;
    wordSaid: Signal<[word: string]>;
  };
}

const [url = 'http://127.0.0.1:8080/'] = process.argv.slice(2);
await using robot = await connect<Services>(url);
const speech = await robot.service('ALTextToSpeech');
const sentence = 'one two three';

// A callback: `connect` resolves once the robot has confirmed, so no word is missed.
const off = await speech.wordSaid.connect((word) => console.log(`callback: ${word}`));
// The loop subscribes when it begins; saying it meanwhile is a call that ends later.
const words = speech.wordSaid[Symbol.asyncIterator]();
const said = speech.say(sentence);
for await (const [word] of words) {
  console.log(`loop: ${word}`);
  if (sentence.endsWith(word)) break;
}
await said;
await off();
