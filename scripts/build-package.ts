// Builds one published package into its dist: ESM with the protocol bundled in, ready files, declarations. Tooling.

import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, type OutputOptions, type Plugin, type RolldownOptions } from 'rolldown';
import { root } from './checks.ts';
import { copyDeclarations } from './declarations.ts';
import { importableSources, type PublishedPackage, type ReadyFile, readManifest } from './published-packages.ts';

/** Emits the declarations of a package and of what it refers to. @throws when the types are wrong. */
function emitDeclarations(folder: string): string {
  const emitted = join(root, '.types');
  const tsc = join(root, 'node_modules', '.bin', 'tsc');
  const { status, stdout } = spawnSync(tsc, ['--build', folder, '--pretty', 'false'], { cwd: root, encoding: 'utf8' });
  if (status !== 0) throw new Error(`the types of ${folder} are wrong:\n${stdout}`);
  return emitted;
}

/** Bundlers look for this very literal; in dist the worker's file lies beside every chunk. */
const workerLiteral: Plugin = {
  name: 'worker-literal',
  transform(code, id) {
    if (!id.endsWith('/owner/start-worker.ts')) return null;
    const replaced = code.replace("new URL('./worker.ts', import.meta.url)", "new URL('./worker.js', import.meta.url)");
    if (replaced === code) throw new Error(`${id} has no literal URL of the worker`);
    return replaced;
  },
};

function baseOptions({ folder, platform, isWhole }: PublishedPackage): RolldownOptions {
  const { dependencies = {}, peerDependencies = {} } = readManifest(folder);
  const outside = [...(isWhole ? [] : Object.keys(dependencies)), ...Object.keys(peerDependencies)];
  return {
    cwd: join(root, folder),
    platform,
    external: [/^node:/, ...outside.map((name) => new RegExp(`^${name}($|/)`))],
    resolve: { mainFields: ['module', 'main'], conditionNames: ['import', 'module', 'default'] },
    plugins: [workerLiteral],
    // A bare import that nobody bundles or declares would fail only at the user's.
    onLog(level, log, report) {
      report(log.code === 'UNRESOLVED_IMPORT' ? 'error' : level, log);
    },
  };
}

/** One chunk per entry and what entries share, so that a class is the same class whichever entry it came from. */
async function buildEntries(published: PublishedPackage, dist: string): Promise<void> {
  const { entries, workers = {} } = published;
  const output: OutputOptions = {
    dir: dist,
    format: 'esm',
    entryFileNames: '[name].js',
    // Beside index and main: code that looks for its package.json from import.meta.url finds it from a chunk too.
    chunkFileNames: '[name]-[hash].js',
    sourcemap: false,
  };
  await build({
    ...baseOptions(published),
    input: inputOf(entries),
    // What a page loads at once in one file: in pieces it is 5 % larger, and bundlers keep the pieces.
    output: { ...output, codeSplitting: { groups: [{ name: 'core', test: /[\\/]sdk[\\/]connect\.ts$/ }] } },
  });
  for (const [name, source] of Object.entries(workers))
    await build({
      ...baseOptions(published),
      input: inputOf({ [name]: source }),
      output: { ...output, chunkFileNames: `${name}-[name]-[hash].js` },
    });
}

function inputOf(entries: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(entries).map(([name, source]) => [name, `./${source}.ts`]));
}

interface ReadyFileTarget extends ReadyFile {
  readonly file: string;
}

async function buildReadyFile(published: PublishedPackage, { source, format, file }: ReadyFileTarget): Promise<void> {
  await build({
    ...baseOptions(published),
    input: `./${source}.ts`,
    output: { file, format, codeSplitting: false, minify: true, sourcemap: false, comments: { legal: true } },
  });
}

/** The licenses of the packages whose code is in dist, as they ask for. */
function writeLicenses(folder: string, dist: string): void {
  const names = Object.keys(readManifest(folder).dependencies ?? {});
  const texts = names.map((name) => {
    const text = readFileSync(join(root, 'node_modules', name, 'LICENSE'), 'utf8').trim();
    return `${name}\n${'-'.repeat(name.length)}\n\n${text}\n`;
  });
  writeFileSync(join(dist, 'THIRD-PARTY-LICENSES.txt'), texts.join('\n\n'));
}

/** Builds the package; dist holds nothing else afterwards. */
export async function buildPackage(published: PublishedPackage): Promise<void> {
  const { folder, readyFiles = {}, isWhole } = published;
  const dist = join(root, folder, 'dist');
  rmSync(dist, { recursive: true, force: true });
  await buildEntries(published, dist);
  for (const [name, ready] of Object.entries(readyFiles))
    await buildReadyFile(published, { ...ready, file: join(dist, `${name}.js`) });
  if (isWhole) writeLicenses(folder, dist);
  const importable = importableSources(published);
  copyDeclarations(
    importable.map((source) => `${folder}/${source}`),
    { emitted: emitDeclarations(folder), target: join(dist, 'types') },
  );
}
