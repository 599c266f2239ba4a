// ALTextToSpeech: the robot says texts, and tells each word.
import { createObject, type HostedObject, method, property, signal } from '@qiway/protocol/objects/hosted-object';
import type { CallContext } from '@qiway/protocol/objects/members';
import { oneOf, textWithin, untilDone, within } from './checks.ts';
import type { Surroundings } from './surroundings.ts';

const LANGUAGES = [
  'Arabic',
  'Chinese',
  'Czech',
  'Danish',
  'Dutch',
  'English',
  'Finnish',
  'French',
  'German',
  'Greek',
  'Italian',
  'Japanese',
  'Korean',
  'Polish',
  'Portuguese',
  'Russian',
  'Spanish',
  'Swedish',
  'Turkish',
];
const VOICES = ['naoenu', 'julie'];
const MAX_TEXT_LENGTH = 4000;

/** Parameters of the voice and their ranges; only the speed can be heard here. */
const PARAMETERS: ReadonlyMap<string, { readonly min: number; readonly max: number; readonly initial: number }> =
  new Map([
    ['speed', { min: 50, max: 400, initial: 100 }],
    ['pitchShift', { min: 0, max: 4, initial: 1.1 }],
    ['doubleVoice', { min: 0, max: 4, initial: 0 }],
    ['doubleVoiceLevel', { min: 0, max: 4, initial: 0 }],
    ['doubleVoiceTimeShift', { min: 0, max: 0.5, initial: 0 }],
  ]);

export function createTextToSpeech({ robot }: Surroundings): HostedObject {
  const { speech } = robot;
  const parameters = new Map([...PARAMETERS].map(([name, { initial }]) => [name, initial]));
  let language = 'English';
  let voice = 'naoenu';
  const setParameter = (name: string, value: number): void => {
    oneOf('parameter', name, PARAMETERS.keys());
    parameters.set(name, within(`The parameter ${name}`, value, PARAMETERS.get(name) ?? { min: 0, max: 0 }));
    speech.speed = parameters.get('speed') ?? 100;
  };
  const say = async (text: string, call: CallContext): Promise<void> => {
    await untilDone(speech.say(textWithin('A text', text, MAX_TEXT_LENGTH)), call);
  };
  const object = createObject(
    {
      say: [
        method('(s)', 'v', say, {
          description: 'Says a text after those that wait. Returns when it was said or stopped; cancelling stops it.',
          parameters: [{ name: 'text', description: 'What to say' }],
        }),
        method(
          '(ss)',
          'v',
          (text: string, spoken: string, call: CallContext) => {
            oneOf('language', spoken, LANGUAGES);
            return say(text, call);
          },
          {
            description: 'Says a text in a given language.',
            parameters: [
              { name: 'text', description: 'What to say' },
              { name: 'language', description: 'One of getAvailableLanguages()' },
            ],
          },
        ),
      ],
      stopAll: method('()', 'v', () => speech.stopAll(), {
        description: 'Stops what is being said and drops what waits.',
      }),
      getVolume: method('()', 'f', () => Number(object.get('volume')) / 100, {
        description: 'The volume.',
        returnDescription: '0 to 1',
      }),
      setVolume: method(
        '(f)',
        'v',
        (volume: number) => object.set('volume', Math.round(within('The volume', volume, { min: 0, max: 1 }) * 100)),
        {
          description: 'Sets the volume.',
          parameters: [{ name: 'volume', description: '0 to 1' }],
        },
      ),
      getAvailableLanguages: method('()', '[s]', () => LANGUAGES, { description: 'Languages that are installed.' }),
      getSupportedLanguages: method('()', '[s]', () => LANGUAGES, { description: 'Languages that can be installed.' }),
      getLanguage: method('()', 's', () => language, { description: 'The language spoken.' }),
      setLanguage: method(
        '(s)',
        'v',
        (name: string) => {
          language = oneOf('language', name, LANGUAGES);
        },
        {
          description: 'Changes the language.',
          parameters: [{ name: 'language', description: 'One of getAvailableLanguages()' }],
        },
      ),
      getAvailableVoices: method('()', '[s]', () => VOICES, { description: 'Voices that are installed.' }),
      getVoice: method('()', 's', () => voice, { description: 'The voice.' }),
      setVoice: method(
        '(s)',
        'v',
        (name: string) => {
          voice = oneOf('voice', name, VOICES);
        },
        {
          description: 'Changes the voice.',
          parameters: [{ name: 'voice', description: 'One of getAvailableVoices()' }],
        },
      ),
      getParameter: method('(s)', 'f', (name: string) => parameters.get(oneOf('parameter', name, PARAMETERS.keys())), {
        description: 'A parameter of the voice.',
        parameters: [{ name: 'name', description: [...PARAMETERS.keys()].join(', ') }],
      }),
      setParameter: method('(sf)', 'v', setParameter, {
        description: 'Sets a parameter of the voice.',
        parameters: [
          { name: 'name', description: [...PARAMETERS.keys()].join(', ') },
          { name: 'value', description: 'speed: 50 to 400 percent' },
        ],
      }),
      resetSpeed: method('()', 'v', () => setParameter('speed', 100), { description: 'Speaks at normal speed again.' }),
      wordSaid: signal('(s)'),
      volume: property('i', 70, { set: (percent: number) => within('The volume', percent, { min: 0, max: 100 }) }),
    },
    {
      description:
        'Lets the robot speak. Words are told as they are said; ALMemory has the events ALTextToSpeech/TextStarted, TextDone, CurrentWord.',
    },
  );
  speech.news.listen((news) => news.kind === 'word' && object.emit('wordSaid', news.word));
  return object;
}
