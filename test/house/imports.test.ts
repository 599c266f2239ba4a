// The direction of imports is held by the linter: each forbidden import is refused with a sentence. Tooling test.

import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkout, makeScratchFolder } from '../support/checkout-copy.ts';
import { runProgram } from '../support/run-program.ts';

const folder = makeScratchFolder('imports');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Case {
  readonly file: string;
  readonly imports: string;
}

const refused: readonly (Case & { readonly sentence: string })[] = [
  { file: 'protocol/clock-like.ts', imports: './bus/bus.ts', sentence: 'files beside the layers are below them all' },
  { file: 'protocol/wire/a.ts', imports: '../bus/bus.ts', sentence: 'wire turns bytes into values' },
  { file: 'protocol/wire/b.ts', imports: 'node:buffer', sentence: 'protocol is pure' },
  { file: 'protocol/bus/a.ts', imports: '../session/link.ts', sentence: 'bus is calls on objects without a network' },
  { file: 'protocol/bus/b.ts', imports: '@qiway/sdk', sentence: 'protocol knows none of the packages' },
  { file: 'protocol/objects/a.ts', imports: '../session/link.ts', sentence: 'objects turns calls into JavaScript' },
  { file: 'protocol/session/a.ts', imports: '../transport/memory.ts', sentence: 'session is a bus over links' },
  { file: 'protocol/secure/a.ts', imports: '../wire/codec.ts', sentence: 'secure makes a transport of a transport' },
  { file: 'protocol/secure/b.ts', imports: '../session/link.ts', sentence: 'secure makes a transport of a transport' },
  { file: 'protocol/secure/c.ts', imports: '@noble/hashes/sha2.js', sentence: 'protocol is pure' },
  { file: 'protocol/transport/a.ts', imports: '../bus/bus.ts', sentence: 'a transport carries whole messages' },
  { file: 'protocol/http-door/a.ts', imports: '../session/link.ts', sentence: 'the HTTP door translates calls' },
  { file: 'sdk/dial/a.ts', imports: 'node:net', sentence: 'The SDK runs in browsers' },
  { file: 'sdk/cli/a.ts', imports: '@qiway/robot-agent/qi', sentence: 'The programs never import each other' },
  { file: 'robot-agent/door/a.ts', imports: '../../sdk/index.ts', sentence: 'The programs never import each other' },
  { file: 'web-demo/parts/a.tsx', imports: '@qiway/protocol/wire/codec', sentence: 'only the published packages' },
  { file: 'web-demo/parts/b.tsx', imports: '@qiway/sdk/owner/owner', sentence: 'only the published packages' },
  { file: 'examples/a.ts', imports: '../protocol/errors.ts', sentence: 'only the published packages' },
  { file: 'simulated-robot/a.ts', imports: '../robot-agent/qi/index.ts', sentence: 'a program of its own on the bus' },
];

const allowed: readonly Case[] = [
  { file: 'protocol/bus/fine.ts', imports: '../wire/codec.ts' },
  { file: 'protocol/wire/fine.ts', imports: '../errors.ts' },
  { file: 'protocol/secure/fine.ts', imports: '../session/transport.ts' },
  { file: 'protocol/transport/fine.ts', imports: '../session/transport.ts' },
  { file: 'sdk/cli/fine.ts', imports: 'node:process' },
  { file: 'robot-agent/door/fine.ts', imports: '@qiway/protocol/session/link' },
  { file: 'web-demo/parts/fine.tsx', imports: '@qiway/sdk' },
  { file: 'web-demo/service-worker/fine.ts', imports: '@qiway/sdk/sw' },
  { file: 'examples/fine.ts', imports: '@qiway/robot-agent/qi' },
  { file: 'simulated-robot/fine.ts', imports: '@qiway/robot-agent/qi' },
];

interface Diagnostic {
  readonly category: string;
  readonly message: string;
  readonly location: { readonly path: string };
}

let diagnostics: readonly Diagnostic[] = [];

function messagesOn(file: string): readonly string[] {
  return diagnostics
    .filter(({ category, location }) => category === 'lint/style/noRestrictedImports' && location.path === file)
    .map(({ message }) => message);
}

beforeAll(async () => {
  cpSync(join(checkout, 'biome.json'), join(folder, 'biome.json'));
  for (const { file, imports } of [...refused, ...allowed]) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), `import { thing } from '${imports}';\n\nthing();\n`);
  }
  const biome = join(checkout, 'node_modules', '.bin', 'biome');
  const { stdout } = await runProgram(biome, ['lint', '--reporter=json', '--max-diagnostics=none'], { cwd: folder });
  diagnostics = (JSON.parse(stdout) as { diagnostics: Diagnostic[] }).diagnostics;
});

describe('the direction of imports', () => {
  it.each(refused)('refuses $imports in $file', ({ file, sentence }) => {
    expect(messagesOn(file)).toEqual([expect.stringContaining(sentence)]);
  });

  it.each(allowed)('allows $imports in $file', ({ file }) => {
    expect(messagesOn(file)).toEqual([]);
  });
});
