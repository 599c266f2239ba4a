// A copy of the parts of the checkout that packages are built from, in a temporary folder, so that a test may build and
// pack while other tests use the original. Tooling of the tests.

import { cpSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';

/** Root of the repository. */
export const checkout: string = dirname(dirname(import.meta.dirname));

const copied = ['package.json', 'LICENSE', 'tsconfig.base.json', 'protocol', 'sdk', 'robot-agent', 'scripts'];
const leftOut = new Set(['node_modules', 'dist', '.manifest-before-pack.json']);

/** An empty temporary folder, outside of the repository. */
export function makeScratchFolder(purpose: string): string {
  return mkdtempSync(join(realpathSync(tmpdir()), `qiway-${purpose}-`));
}

/** Copies sources into `target`; packages from the registry are linked, those of the workspace are the copies. */
export function copyCheckout(target: string): void {
  for (const name of copied) {
    cpSync(join(checkout, name), join(target, name), {
      recursive: true,
      filter: (source) => !leftOut.has(basename(source)),
    });
  }
  const modules = join(target, 'node_modules');
  mkdirSync(join(modules, '@qiway'), { recursive: true });
  for (const name of readdirSync(join(checkout, 'node_modules'))) {
    if (name !== '@qiway') symlinkSync(join(checkout, 'node_modules', name), join(modules, name));
  }
  for (const name of ['protocol', 'sdk', 'robot-agent']) symlinkSync(join(target, name), join(modules, '@qiway', name));
}
