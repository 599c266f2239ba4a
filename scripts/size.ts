// How much of the SDK a page loads: what calling services, properties and signals takes, and the part that comes on demand.
// Tooling. `node scripts/size.ts` prints it by module; test/house/size.test.ts holds it to a bound.

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

export interface SdkSize {
  /** The page's own chunk and what it imports statically, minified, gzipped. */
  readonly coreGzipBytes: number;
  /** What a dynamic import loads besides. */
  readonly onDemandGzipBytes: number;
  readonly chunks: readonly { readonly name: string; readonly gzipBytes: number }[];
}

/** The smallest page: everything that it can reach from `connect` stays. */
const PAGE = `import { connect } from '@qiway/sdk'; globalThis.connect = connect;`;
const PAGE_ID = 'virtual:page';
const source = join(root, 'sdk/index.ts');

async function bundlePage(sdk: string, isMinified: boolean): Promise<readonly OutputChunk[]> {
  const bundle = await rolldown({
    cwd: root,
    input: { page: PAGE_ID },
    platform: 'browser',
    plugins: [
      {
        name: 'page',
        resolveId: (id) => (id === PAGE_ID ? id : id === '@qiway/sdk' ? { id: sdk, moduleSideEffects: false } : null),
        load: (id) => (id === PAGE_ID ? PAGE : null),
      },
    ],
  });
  const { output } = await bundle.generate({ format: 'esm', minify: isMinified });
  await bundle.close();
  return output.filter((file): file is OutputChunk => file.type === 'chunk');
}

/** The entry and what it imports statically, with what those import. */
function staticChunks(chunks: readonly OutputChunk[]): ReadonlySet<OutputChunk> {
  const found = new Set(chunks.filter((chunk) => chunk.isEntry));
  for (const { imports } of found) for (const chunk of chunks) if (imports.includes(chunk.fileName)) found.add(chunk);
  return found;
}

function gzipBytes(code: string): number {
  return gzipSync(code, { level: 9 }).length;
}

/** Measures what a bundler makes of a page that only connects. @param sdk the SDK's entry: its source, or as it is published */
export async function sdkSize(sdk: string = source): Promise<SdkSize> {
  const chunks = await bundlePage(sdk, true);
  const core = staticChunks(chunks);
  const sum = (isCore: boolean): number =>
    chunks.filter((chunk) => core.has(chunk) === isCore).reduce((bytes, { code }) => bytes + gzipBytes(code), 0);
  return {
    coreGzipBytes: sum(true),
    onDemandGzipBytes: sum(false),
    chunks: chunks.map(({ name, code }) => ({ name, gzipBytes: gzipBytes(code) })),
  };
}

/** What each module of the core adds, the largest first. */
export async function coreModules(): Promise<readonly ModuleSize[]> {
  const chunks = await bundlePage(source, false);
  const modules = [...staticChunks(chunks)].flatMap((chunk) =>
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
  const { coreGzipBytes, onDemandGzipBytes } = await sdkSize();
  for (const { module, gzipBytes: bytes } of await coreModules())
    process.stdout.write(`${String(bytes).padStart(6)}  ${module}\n`);
  process.stdout.write(`\n${coreGzipBytes} bytes at once, ${onDemandGzipBytes} on demand (minified, gzipped)\n`);
}
