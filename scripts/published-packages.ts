// What is published and how a published package differs from the one in the checkout: its entries lie in dist. Tooling.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './checks.ts';

/** A file that imports nothing, to be copied among the files of a site. */
export interface ReadyFile {
  /** Without `.ts`, relative to the folder. */
  readonly source: string;
  /** `iife` where a browser may take it for a classic script. */
  readonly format: 'esm' | 'iife';
}

export interface PublishedPackage {
  /** Folder in the repository. */
  readonly folder: string;
  /** Programs and importable files: their names in dist, and their sources relative to the folder; without extensions. */
  readonly entries: Readonly<Record<string, string>>;
  /** Likewise; they share no chunk with pages, so that a bundler finds no way from a worker to the page that starts it. */
  readonly workers?: Readonly<Record<string, string>>;
  /** By their names in dist, without `.js`. */
  readonly readyFiles?: Readonly<Record<string, ReadyFile>>;
  readonly platform: 'node' | 'neutral';
  /**
   * Dependencies are in dist: browsers that load it as it is look nothing up, and a worker could not even with an import map.
   * Peer dependencies never are.
   */
  readonly isWhole: boolean;
}

/** The packages that people install. */
export const publishedPackages: readonly PublishedPackage[] = [
  {
    folder: 'sdk',
    entries: {
      index: 'index',
      // Beside index: so what only createObject needs gets a chunk that a page without it leaves out.
      connect: 'connect',
      react: 'react/index',
      stores: 'stores/index',
      gateway: 'gateway/register-gateway',
      sw: 'gateway/sw',
      'cli/main': 'cli/main',
    },
    // In the root of dist, as every chunk: there the SDK looks for it.
    workers: { worker: 'owner/worker' },
    readyFiles: {
      'qiway-worker': { source: 'owner/worker', format: 'esm' },
      'qiway-sw': { source: 'gateway/ready-sw', format: 'iife' },
    },
    platform: 'neutral',
    isWhole: true,
  },
  {
    folder: 'robot-agent',
    entries: { index: 'index', main: 'main', 'qi/index': 'qi/index', 'addresses/mdns-worker': 'addresses/mdns-worker' },
    platform: 'node',
    isWhole: false,
  },
];

/** The fields of a package.json that are read or changed here; others pass as they are. */
export interface Manifest {
  readonly exports: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly sideEffects?: boolean | readonly string[];
  readonly [field: string]: unknown;
}

export function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as Manifest;
}

/** The sources, without `.ts`, of what can be imported. */
export function importableSources({ folder }: PublishedPackage): readonly string[] {
  return Object.values(readManifest(folder).exports).map(withoutAffixes);
}

/** The manifest to publish. Entries point into dist; what only a checkout needs is gone. */
export function publishedManifest(published: PublishedPackage, manifest: Manifest): Record<string, unknown> {
  const { folder, readyFiles = {}, isWhole } = published;
  const { devDependencies: _, scripts: __, private: ___, exports, dependencies, sideEffects, ...kept } = manifest;
  const entries = Object.entries(exports).map(([subpath, file]) => {
    const source = withoutAffixes(file);
    return [subpath, { types: `./dist/types/${folder}/${source}.d.ts`, default: distFile(published, source) }] as const;
  });
  const listed = typeof sideEffects === 'object' ? sideEffects : [];
  const isEntry = (source: string): boolean => nameOf(published, source) !== undefined;
  const withEffects = listed
    .map(withoutAffixes)
    .filter(isEntry)
    .map((source) => distFile(published, source));
  const ready = Object.keys(readyFiles).map((name) => `./dist/${name}.js`);
  return {
    ...kept,
    ...(!isWhole && dependencies !== undefined && { dependencies }),
    ...(sideEffects !== undefined && {
      sideEffects: typeof sideEffects === 'boolean' ? sideEffects : [...withEffects, ...ready],
    }),
    files: ['bin', 'dist'],
    exports: {
      ...Object.fromEntries(entries),
      ...Object.fromEntries(ready.map((file) => [file, file])),
      './package.json': './package.json',
    },
  };
}

function nameOf({ entries, workers = {} }: PublishedPackage, source: string): string | undefined {
  return Object.entries({ ...entries, ...workers }).find(([, candidate]) => candidate === source)?.[0];
}

function distFile(published: PublishedPackage, source: string): string {
  const name = nameOf(published, source);
  if (name === undefined) throw new Error(`${published.folder} exports ${source}, which is no entry of its dist`);
  return `./dist/${name}.js`;
}

function withoutAffixes(file: string): string {
  return file.replace(/^\.\/|\.ts$/g, '');
}
