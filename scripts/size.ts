// How much of the SDK a page loads, and when: at once, with its first link, when an app asks for more. Tooling.
// `node scripts/size.ts` prints it by module; test/house/size.test.ts holds it to a bound.

import { realpathSync } from 'node:fs';
import { join, relative } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type OutputChunk, rolldown } from 'rolldown';
import { minifySync } from 'rolldown/utils';
import { root } from './checks.ts';

export interface ModuleSize {
  readonly module: string;
  /** What it adds to the gzipped whole: the sum over all modules is less than that, since they resemble each other. */
  readonly gzipBytes: number;
}

/**
 * When a page loads a chunk, in this order; one that two of them need counts for the first.
 * `core`: at once. `link`: with the first link, if the page owns it. `handshake`: beside it, on secure origins with the identity.
 * `fallback`: cryptography where the browser has none. `node`: never in a page. `onDemand`: when an app asks for what is in it.
 */
export type Stage = 'core' | 'link' | 'handshake' | 'fallback' | 'node' | 'onDemand';

/** The chunks whose loading begins a stage, by the start of their names. */
const STAGES: readonly (readonly [stage: Stage, chunk: RegExp])[] = [
  ['link', /^page-session/],
  ['handshake', /^(secure|web-crypto|client-identity)/],
  ['fallback', /^noble-crypto/],
  ['node', /^node-crypto/],
];

export interface SdkSize {
  /** Minified, gzipped. */
  readonly gzipBytes: Readonly<Record<Stage, number>>;
  readonly chunks: readonly { readonly name: string; readonly stage: Stage; readonly gzipBytes: number }[];
}

/** Files that are loaded by themselves, not by a page's script: the SharedWorker, and the gateway's service worker. */
const WORKERS = { worker: 'sdk/owner/worker.ts', serviceWorker: 'sdk/gateway/sw.ts' };

/** The smallest page: everything that it can reach from `connect` stays. */
const PAGE = `import { connect } from '@qiway/sdk'; globalThis.connect = connect;`;
const PAGE_ID = 'virtual:page';
const source = join(root, 'sdk/index.ts');

async function bundlePage(sdk: string, isMinified: boolean): Promise<readonly OutputChunk[]> {
  // Rolldown cuts what is loaded at once where chunks that come later share it; Rollup and webpack do not, and whoever
  // bundles the published package finds it in one file.
  return bundle(PAGE_ID, { sdk, isMinified, core: sdk.endsWith('.ts') ? /[\\/]sdk[\\/]connect\.ts$/ : undefined });
}

/** @param how.core what is put into one chunk, with everything that it imports */
async function bundle(
  input: string,
  { sdk, isMinified, core }: { readonly sdk: string; readonly isMinified: boolean; readonly core: RegExp | undefined },
): Promise<readonly OutputChunk[]> {
  const build = await rolldown({
    cwd: root,
    input: { page: input },
    platform: 'browser',
    plugins: [
      {
        name: 'page',
        resolveId: (id) => (id === PAGE_ID ? id : id === '@qiway/sdk' ? { id: sdk, moduleSideEffects: false } : null),
        load: (id) => (id === PAGE_ID ? PAGE : null),
      },
    ],
  });
  const { output } = await build.generate({
    format: 'esm',
    minify: isMinified,
    ...(core !== undefined && { codeSplitting: { groups: [{ name: 'core', test: core }] } }),
  });
  await build.close();
  return output.filter((file): file is OutputChunk => file.type === 'chunk');
}

/** Chunks and what they import statically, with what those import. */
function withImports(roots: readonly OutputChunk[], all: readonly OutputChunk[]): ReadonlySet<OutputChunk> {
  const found = new Set(roots);
  for (const { imports } of found) for (const chunk of all) if (imports.includes(chunk.fileName)) found.add(chunk);
  return found;
}

function entryChunks(chunks: readonly OutputChunk[]): readonly OutputChunk[] {
  return chunks.filter((chunk) => chunk.isEntry);
}

function stagesOf(chunks: readonly OutputChunk[]): ReadonlyMap<OutputChunk, Stage> {
  const stages = new Map<OutputChunk, Stage>();
  const give = (roots: readonly OutputChunk[], stage: Stage): void => {
    for (const chunk of withImports(roots, chunks)) if (!stages.has(chunk)) stages.set(chunk, stage);
  };
  give(entryChunks(chunks), 'core');
  for (const [stage, name] of STAGES) {
    const roots = chunks.filter((chunk) => name.test(chunk.name));
    if (roots.length === 0) throw new Error(`no chunk begins the stage ${stage}`);
    give(roots, stage);
  }
  give(chunks, 'onDemand');
  return stages;
}

function gzipBytes(code: string): number {
  return gzipSync(code, { level: 9 }).length;
}

/** Measures what a bundler makes of a page that only connects. @param sdk the SDK's entry: its source, or as it is published */
export async function sdkSize(sdk: string = source): Promise<SdkSize> {
  const stages = stagesOf(await bundlePage(sdk, true));
  const sum: Record<Stage, number> = { core: 0, link: 0, handshake: 0, fallback: 0, node: 0, onDemand: 0 };
  const chunks = [...stages].map(([{ name, code }, stage]) => ({ name, stage, gzipBytes: gzipBytes(code) }));
  for (const { stage, gzipBytes: bytes } of chunks) sum[stage] += bytes;
  return { gzipBytes: sum, chunks };
}

/** What the two workers load at once, minified, gzipped. */
export async function workerSizes(): Promise<Readonly<Record<keyof typeof WORKERS, number>>> {
  const size = async (path: string): Promise<number> => {
    const core = new RegExp(`[\\\\/]${path.replaceAll('/', '[\\\\/]').replaceAll('.', '\\.')}$`);
    const chunks = await bundle(join(root, path), { sdk: source, isMinified: true, core });
    return [...withImports(entryChunks(chunks), chunks)].reduce((sum, { code }) => sum + gzipBytes(code), 0);
  };
  return { worker: await size(WORKERS.worker), serviceWorker: await size(WORKERS.serviceWorker) };
}

/** What each module of a stage adds, the largest first. */
export async function modulesOf(stage: Stage): Promise<readonly ModuleSize[]> {
  const stages = [...stagesOf(await bundlePage(source, false))];
  const chunks = stages.filter(([, each]) => each === stage).map(([chunk]) => chunk);
  const modules = chunks.flatMap((chunk) =>
    Object.entries(chunk.modules).map(([id, { code }]) => ({
      module: id === PAGE_ID ? 'page' : relative(root, id),
      code: minifySync('module.js', code ?? '', { compress: true, mangle: true }).code,
    })),
  );
  const without = (index: number): string =>
    modules
      .filter((_, other) => other !== index)
      .map(({ code }) => code)
      .join('\n');
  const whole = gzipBytes(without(-1));
  return modules
    .map(({ module }, index) => ({ module, gzipBytes: whole - gzipBytes(without(index)) }))
    .sort((a, b) => b.gzipBytes - a.gzipBytes);
}

if (import.meta.filename === realpathSync(process.argv[1] ?? '')) {
  for (const stage of ['core', 'link'] as const) {
    process.stdout.write(`${stage}\n`);
    for (const { module, gzipBytes: bytes } of await modulesOf(stage))
      process.stdout.write(`${String(bytes).padStart(6)}  ${module}\n`);
  }
  const { gzipBytes: sum, chunks } = await sdkSize();
  process.stdout.write('\nchunks\n');
  for (const { name, stage, gzipBytes: bytes } of chunks)
    process.stdout.write(`${String(bytes).padStart(6)}  ${stage.padEnd(10)} ${name}\n`);
  process.stdout.write('\nbytes, minified, gzipped\n');
  for (const [stage, bytes] of Object.entries(sum)) process.stdout.write(`${String(bytes).padStart(6)}  ${stage}\n`);
  const beforeFirstCall = sum.core + sum.link + sum.handshake;
  process.stdout.write(`${String(beforeFirstCall).padStart(6)}  before the first call\n`);
  for (const [name, bytes] of Object.entries(await workerSizes()))
    process.stdout.write(`${String(bytes).padStart(6)}  ${name}\n`);
}
