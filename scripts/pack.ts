// Around `npm pack` and `npm publish` of a package: `prepare` builds it and puts the published manifest in place of the
// checkout's, `restore` puts that back. A pack that was aborted is undone by the next one and by setup. Tooling.

import { copyFileSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildPackage } from './build-package.ts';
import { root } from './checks.ts';
import { type Manifest, publishedManifest, publishedPackages } from './published-packages.ts';

const [step, folder] = process.argv.slice(2);
const published = publishedPackages.find((candidate) => candidate.folder === folder);
if (published === undefined || (step !== 'prepare' && step !== 'restore')) {
  throw new Error(
    `pack.ts takes a step (prepare, restore) and a package (${publishedPackages.map((one) => one.folder).join(', ')})`,
  );
}

const manifestFile = join(root, published.folder, 'package.json');
const backupFile = join(root, published.folder, '.manifest-before-pack.json');
const license = join(root, published.folder, 'LICENSE');

// Also at the start of `prepare`, where a backup means that the pack before was aborted.
if (existsSync(backupFile)) renameSync(backupFile, manifestFile);
rmSync(license, { force: true });

if (step === 'prepare') {
  await buildPackage(published);
  const manifest = JSON.parse(readFileSync(manifestFile, 'utf8')) as Manifest;
  const text = JSON.stringify(publishedManifest(published, manifest), undefined, 2);
  copyFileSync(join(root, 'LICENSE'), license);
  copyFileSync(manifestFile, backupFile);
  writeFileSync(manifestFile, `${text}\n`);
}
