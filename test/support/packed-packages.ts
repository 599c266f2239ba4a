// The published packages as `npm pack` makes them of a copy of the checkout, once for all tests of a run. Tooling of the tests.
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { copyCheckout } from './checkout-copy.ts';
import { succeed } from './run-program.ts';
import { type SharedFolder, sharedFolder } from './shared-folder.ts';

export interface PackedPackages extends SharedFolder {
  readonly sdk: string;
  readonly agent: string;
  /** Of the copy, as packing left them. */
  readonly manifests: readonly string[];
}

const PACKAGES = ['sdk', 'robot-agent'] as const;

export const manifestsIn = (folder: string): readonly string[] =>
  PACKAGES.map((name) => readFileSync(join(folder, name, 'package.json'), 'utf8'));

export async function packPackages(): Promise<PackedPackages> {
  const shared = await sharedFolder('packages', async (folder) => {
    const copy = join(folder, 'checkout');
    mkdirSync(copy);
    copyCheckout(copy);
    for (const name of PACKAGES) {
      const target = join(folder, name);
      mkdirSync(target);
      await succeed('npm', ['pack', '--pack-destination', target], { cwd: join(copy, name) });
    }
  });
  const [sdk = '', agent = ''] = PACKAGES.map((name) => tarballIn(join(shared.folder, name)));
  return { ...shared, sdk, agent, manifests: manifestsIn(join(shared.folder, 'checkout')) };
}

function tarballIn(folder: string): string {
  const [tarball] = readdirSync(folder);
  if (tarball === undefined) throw new Error(`npm pack left no tarball in ${folder}`);
  return join(folder, tarball);
}
