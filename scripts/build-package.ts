// Builds one published package into its dist: ESM with the protocol bundled in, dependencies left out, declarations. Tooling.

import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { build, type RolldownOptions } from 'rolldown';
import { root } from './checks.ts';
import { copyDeclarations } from './declarations.ts';
import { type PublishedPackage, readManifest } from './published-packages.ts';

/** Emits the declarations of a package and of what it refers to. @throws when the types are wrong. */
function emitDeclarations(folder: string): string {
  const emitted = join(root, '.types');
  const tsc = join(root, 'node_modules', '.bin', 'tsc');
  const { status, stdout } = spawnSync(tsc, ['--build', folder, '--pretty', 'false'], { cwd: root, encoding: 'utf8' });
  if (status !== 0) throw new Error(`the types of ${folder} are wrong:\n${stdout}`);
  return emitted;
}

/** One chunk per entry and what entries share, so that a class is the same class whichever entry it came from. */
function bundleOptions({ folder, entries, platform }: PublishedPackage): RolldownOptions {
  const dependencies = Object.keys(readManifest(folder).dependencies ?? {});
  return {
    cwd: join(root, folder),
    input: Object.fromEntries(entries.map((entry) => [entry, `./${entry}.ts`])),
    platform,
    external: [/^node:/, ...dependencies.map((name) => new RegExp(`^${name}($|/)`))],
    resolve: { mainFields: ['module', 'main'], conditionNames: ['import', 'module', 'default'] },
    // A bare import that nobody bundles or declares would fail only at the user's.
    onLog(level, log, report) {
      report(log.code === 'UNRESOLVED_IMPORT' ? 'error' : level, log);
    },
  };
}

/** Builds the package; dist holds nothing else afterwards. */
export async function buildPackage(published: PublishedPackage): Promise<void> {
  const { folder, entries } = published;
  const dist = join(root, folder, 'dist');
  rmSync(dist, { recursive: true, force: true });
  await build({
    ...bundleOptions(published),
    output: {
      dir: dist,
      format: 'esm',
      entryFileNames: '[name].js',
      // Beside index and main: code that looks for its package.json from import.meta.url finds it from a chunk too.
      chunkFileNames: '[name]-[hash].js',
      sourcemap: false,
    },
  });
  const emitted = emitDeclarations(folder);
  const importable = Object.values(readManifest(folder).exports).map((source) => source.replace(/^\.\/|\.ts$/g, ''));
  copyDeclarations(
    entries.filter((entry) => importable.includes(entry)).map((entry) => `${folder}/${entry}`),
    { emitted, target: join(dist, 'types') },
  );
}
