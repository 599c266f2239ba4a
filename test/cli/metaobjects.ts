// Metaobjects for the tests of the command line: the recorded Echo service of the original implementation, and made ones.
import { readFileSync } from 'node:fs';
import { type MetaObject, readMetaObject } from '@qiway/protocol/bus/metaobject';
import { layOut, type Members, method, property, signal } from '@qiway/protocol/objects/members';

interface Recording {
  readonly messages: readonly { readonly note?: string; readonly payloadHex?: string }[];
}

/** Echo as it described itself on the wire. */
export function recordedEcho(): MetaObject {
  const path = new URL('../vectors/types.json', import.meta.url);
  const recording = JSON.parse(readFileSync(path, 'utf8')) as Recording;
  const message = recording.messages.find(({ note }) => note === 'Reply to Echo.metaObject');
  if (message?.payloadHex === undefined) throw new Error('the recording holds no metaobject of Echo');
  return readMetaObject(new Uint8Array(Buffer.from(message.payloadHex, 'hex')));
}

export function metaObjectOf(members: Members, description = ''): MetaObject {
  return layOut(members, description).metaObject;
}

const nothing = (): void => {};

/** A service that speaks, with all kinds of members. */
export function speech(): MetaObject {
  return metaObjectOf(
    {
      say: [
        method('(s)', 'v', nothing, {
          description: 'Says a text.',
          parameters: [{ name: 'text', description: 'what to say' }],
        }),
        method('(ss)', 'v', nothing, { parameters: ['text', 'language'] }),
      ],
      languages: method('()', '[s]', () => [], {
        description: 'What it speaks.',
        returnDescription: 'names in English',
      }),
      _debug: method('m', 'm', nothing),
      volume: property('i', 50),
      wordSaid: signal('(s)'),
    },
    'Speaks.',
  );
}
