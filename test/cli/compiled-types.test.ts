// The generated file as a user's TypeScript sees it: compiled under strict flags with a program that uses it.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { method, property, signal } from '@qiway/protocol/objects/members';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generateTypes } from '../../sdk/cli/generate-types.ts';
import { metaObjectOf, recordedEcho, speech } from './metaobjects.ts';

const nothing = (): void => {};
const root = fileURLToPath(new URL('../../', import.meta.url));
let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'qiway-types-'));
  const odd = metaObjectOf({
    'no-identifier': method('(l)', 'l', nothing),
    choose: [method('(i)', 's', nothing), method('(d)', 's', nothing)],
    many: [1, 2, 3, 4, 5].map((count) => method(`(${'i'.repeat(count)})`, 'i', nothing)),
    toString: method('()', 's', nothing),
    nested: method('([[f]][(ss)]#[s])', '[[f]]', nothing),
    inner: method('((i[(ss)<Pair,left,right>])<Outer,n,pairs>)', '+(i[(ss)<Pair,left,right>])<Outer,n,pairs>', nothing),
    a_property: property('(dd)<Outer,x,y>', [0, 0]),
    a_signal: signal('({s(dd)<Outer,x,y>}#m)'),
    described: method('()', 'v', nothing, { description: '*/ } not code `', returnDescription: '@see' }),
  });
  const services = [
    { name: 'Echo', metaObject: recordedEcho() },
    { name: 'ALTextToSpeech', metaObject: speech() },
    { name: 'odd-name', metaObject: odd },
  ];
  writeFileSync(join(folder, 'robot.d.ts'), generateTypes(services, { all: true }));
  const compilerOptions = {
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    isolatedModules: true,
    noEmit: true,
    skipLibCheck: false,
    module: 'nodenext',
    target: 'es2024',
    lib: ['es2024', 'esnext.disposable', 'dom'],
    types: [],
    allowImportingTsExtensions: true,
    paths: { '@qiway/sdk': [join(root, 'sdk/index.ts')] },
  };
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['program.ts'] }));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The compiler's complaints about a program that uses the generated types, and about these; the SDK's sources are not the matter here. */
function compile(program: string): string[] {
  const head = `import { connect, type Signal } from '@qiway/sdk';
import type { Services } from './robot.js';
export const robot = await connect<Services>('http://127.0.0.1/');
export const tts = await robot.service('ALTextToSpeech');
export const echo = await robot.service('Echo');
export const odd = await robot.service('odd-name');
export type { Signal };
`;
  writeFileSync(join(folder, 'program.ts'), `${head}${program}\n`);
  const { stdout, error } = spawnSync(
    process.execPath,
    [join(root, 'node_modules/typescript/bin/tsc'), '-p', '.', '--pretty', 'false'],
    {
      cwd: folder,
      encoding: 'utf8',
    },
  );
  if (error !== undefined) throw error;
  return stdout.split('\n').filter((line) => /^(program\.ts|robot\.d\.ts|error)/.test(line));
}

describe('the generated file under strict TypeScript', () => {
  it('compiles together with a program that uses it rightly', () => {
    const complaints = compile(`
await tts.say('hello');
await tts.say('bonjour', 'French');
await tts.say.with({ timeoutMs: 100 })('hello');
export const languages: string[] = await tts.languages();
export const volume: number = await tts.volume.value();
await tts.volume.setValue(50);
export const off = await tts.wordSaid.connect((word) => word.length);
for await (const [word] of tts.wordSaid) word.toUpperCase();
export const big: bigint = await odd['no-identifier'](5);
export const chosen: string = await odd['choose::(d)'](0.5);
export const five: number = await odd.many(1, 2, 3, 4, 5);
export const text: string = await odd['toString::()']();
export const nested: number[][] = await odd.nested([[1]], [['a', 'b']], [['c']]);
export const outer = await odd.inner({ n: 1, pairs: [{ left: 'a', right: 'b' }] });
export const left: string | undefined = outer?.pairs[0]?.left;
export const x: number = (await odd.a_property.value()).x;
export const named: ReadonlyArray<keyof Services> = ['ALTextToSpeech', 'Echo', 'odd-name'];
await echo.onPoint.connect((point) => point.x + point.name.length);`);
    expect(complaints).toEqual([]);
  });

  it('refuses wrong names and wrong types, each on its line', () => {
    const wrong = [
      `robot.service('ALTextToSpeach');`,
      `tts.sai('hello');`,
      `tts.say(5);`,
      `tts.say('a', 'b', 'c');`,
      `tts.volume.setValue('loud');`,
      `tts.volume.setVolume(5);`,
      `tts.wordSaid.connect((word: number) => word);`,
      `odd.inner({ n: 1 });`,
      `odd['no-identifier']('5');`,
      `export const text: string = await tts.volume.value();`,
    ];
    const complaints = compile(wrong.join('\n'));
    const lines = complaints.map((line) => Number(/^program\.ts\((\d+),/.exec(line)?.[1]) - 8);
    expect([...new Set(lines)]).toEqual(wrong.map((_, index) => index));
  });
});
