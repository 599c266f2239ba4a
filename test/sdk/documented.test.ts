// What the SDK's documentation shows, compiled: the examples of its doc comments and of its readme.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** The lines of each `@example`, up to the next tag or the end of the comment. */
function commentExamples(source: string): string[] {
  return [...source.matchAll(/ \* @example\n((?: \* [^@].*\n)+)/g)].map(([, block = '']) =>
    block.replaceAll(/^ \* /gm, ''),
  );
}

function readmeExamples(text: string): string {
  return [...text.matchAll(/```ts\n(.*?)```/gs)].map(([, block = '']) => block).join('\n');
}

it('compiles under strict flags', () => {
  const folder = mkdtempSync(join(tmpdir(), 'qiway-documented-'));
  try {
    const compilerOptions = {
      strict: true,
      noEmit: true,
      module: 'nodenext',
      target: 'es2024',
      lib: ['es2024', 'esnext.disposable', 'dom'],
      types: [],
      allowImportingTsExtensions: true,
      paths: { '@qiway/sdk': [join(root, 'sdk/index.ts')] },
    };
    const services = `import type { Property, Signal } from '@qiway/sdk';
export interface Services {
  ALTextToSpeech: { say(text: string): void; wordSaid: Signal<[word: string]>; volume: Property<number> };
  ALMotion: { stopMove(): void };
}`;
    const sources = ['sdk', 'sdk/offline', 'protocol/objects'].flatMap((name) =>
      readdirSync(join(root, name)).map((file) => join(root, name, file)),
    );
    const comments = sources
      .filter((file) => file.endsWith('.ts'))
      .flatMap((file) => commentExamples(readFileSync(file, 'utf8')));
    expect(comments.length).toBeGreaterThan(1);
    const programs = [
      ...comments.map(
        (text) =>
          `import { abilityWords, connect, createObject, method, property, queue, signal } from '@qiway/sdk';\n${text}\nexport { abilityWords, connect, createObject, method, property, queue, signal };`,
      ),
      `${readmeExamples(readFileSync(join(root, 'sdk/README.md'), 'utf8')).replace("'./robot'", "'./robot.js'")}\nexport { hosted, off };`,
    ];
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    writeFileSync(join(folder, 'robot.d.ts'), services);
    for (const [index, text] of programs.entries()) writeFileSync(join(folder, `program${index}.ts`), text);
    const files = programs.map((_, index) => `program${index}.ts`);
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    const { stdout } = spawnSync(process.execPath, [tsc, '-p', '.', '--pretty', 'false'], {
      cwd: folder,
      encoding: 'utf8',
    });
    expect(stdout.split('\n').filter((line) => /^(program|error)/.test(line))).toEqual([]);
    // The compiler did look at them.
    writeFileSync(join(folder, 'program0.ts'), 'export const wrong: number = "text";');
    expect(spawnSync(process.execPath, [tsc, '-p', '.'], { cwd: folder, encoding: 'utf8' }).stdout).toContain(
      'program0.ts',
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
