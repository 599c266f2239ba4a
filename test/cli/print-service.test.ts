// How `qiway info` shows services and their members.
import { describe, expect, it } from 'vitest';
import { printService, printServices } from '../../sdk/cli/print-service.ts';
import { typeWords } from '../../sdk/cli/signature-words.ts';
import { speech } from './metaobjects.ts';

const service = {
  name: 'ALTextToSpeech',
  serviceId: 12,
  machineId: 'm-1',
  processId: 77,
  endpoints: ['tcp://10.0.0.2:4000'],
};

describe('qiway info', () => {
  it('lists services in columns', () => {
    expect(printServices([{ ...service, name: 'ServiceDirectory', serviceId: 1, endpoints: [] }, service])).toBe(
      ' 1  ServiceDirectory\n12  ALTextToSpeech    tcp://10.0.0.2:4000\n',
    );
    expect(printServices([])).toBe('');
  });

  it('prints a service with its own members in words', () => {
    expect(printService(service, speech(), false)).toBe(`ALTextToSpeech  (service 12, process 77 on machine m-1)
  tcp://10.0.0.2:4000
  Speaks.

Methods
  100  say(text: String) → Void
         Says a text.
           text: what to say
  101  say(text: String, language: String) → Void
  102  languages() → List<String>
         What it speaks.
           returns names in English

Properties
  105  volume: Int32

Signals
  104  wordSaid(String)
`);
  });

  it('shows hidden members and those of every object when all are wanted', () => {
    const text = printService(service, speech(), true);
    expect(text).toContain('  103  _debug(Value…) → Value');
    expect(text).toContain('    0  registerEvent(UInt32, UInt32, UInt64) → UInt64');
    expect(text).toContain('   86  traceObject(');
  });

  it.each([
    ['[(ii)<Point,x,y>]', 'List<Point{x: Int32, y: Int32}>'],
    ['{s+m}', 'Map<String, Optional<Value>>'],
    ['(fr)', '(Float, Raw)'],
    ['o', 'Object'],
    ['C', 'UInt8'],
    ['#s', 'String…'],
  ])('says %s as %s', (signature, words) => {
    expect(typeWords(signature)).toBe(words);
  });
});
