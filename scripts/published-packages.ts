// What is published and how a published package differs from the one in the checkout: its entries lie in dist. Tooling.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './checks.ts';

export interface PublishedPackage {
  /** Folder in the repository. */
  readonly folder: string;
  /** Programs and importable files, without `.ts`, relative to the folder. */
  readonly entries: readonly string[];
  readonly platform: 'node' | 'neutral';
}

/** The packages that people install. */
export const publishedPackages: readonly PublishedPackage[] = [
  // `connect` beside index: so what only createObject needs gets a chunk that a page without it leaves out.
  { folder: 'sdk', entries: ['index', 'connect', 'cli/main'], platform: 'neutral' },
  { folder: 'robot-agent', entries: ['index', 'main', 'qi/index', 'addresses/mdns-worker'], platform: 'node' },
];

/** The fields of a package.json that are read or changed here; others pass as they are. */
export interface Manifest {
  readonly exports: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

export function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as Manifest;
}

/** The manifest to publish. Entries point into dist; what only a checkout needs is gone. */
export function publishedManifest(folder: string, manifest: Manifest): Record<string, unknown> {
  const { devDependencies: _, scripts: __, private: ___, exports, ...kept } = manifest;
  const entries = Object.entries(exports).map(([subpath, source]) => {
    const name = source.replace(/^\.\//, '').replace(/\.ts$/, '');
    return [subpath, { types: `./dist/types/${folder}/${name}.d.ts`, default: `./dist/${name}.js` }] as const;
  });
  return {
    ...kept,
    files: ['bin', 'dist'],
    exports: { ...Object.fromEntries(entries), './package.json': './package.json' },
  };
}
