// What a page loads for the handshake: nothing with the core, and of the three kinds of cryptography the one it needs.

import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type OutputChunk, rolldown } from 'rolldown';
import { beforeAll, expect, test } from 'vitest';
import { checkout } from '../support/checkout-copy.ts';

/** Bytes, minified and gzipped. */
const MAX_LOADER = 800;
const MAX_HANDSHAKE = 4_600;
const MAX_WEB_CRYPTO = 900;
/** With idb. */
const MAX_IDENTITY = 1_800;
/** Loaded on insecure origins only; the goal of the project is 15 kB. */
const MAX_NOBLE = 15_000;

let chunks: readonly OutputChunk[];

beforeAll(async () => {
  const bundle = await rolldown({ cwd: join(checkout, 'sdk'), input: './crypto/load-secure.ts', platform: 'browser' });
  const { output } = await bundle.generate({ format: 'esm', minify: true });
  await bundle.close();
  chunks = output.filter((file): file is OutputChunk => file.type === 'chunk');
});

/** The chunk with this module of the SDK, and what it imports statically that is in none of `loaded`. */
function loads(module: string, loaded: ReadonlySet<OutputChunk> = new Set()): ReadonlySet<OutputChunk> {
  const found = new Set(chunks.filter(({ modules }) => Object.keys(modules).some((id) => id.endsWith(module))));
  expect(found.size).toBe(1);
  for (const { imports } of found) for (const chunk of chunks) if (imports.includes(chunk.fileName)) found.add(chunk);
  return found.difference(loaded);
}

function bytes(loaded: ReadonlySet<OutputChunk>): number {
  return [...loaded].reduce((sum, { code }) => sum + gzipSync(code, { level: 9 }).length, 0);
}

test('each part stays within its bound', () => {
  const core = loads('sdk/crypto/load-secure.ts');
  const secure = loads('sdk/crypto/secure.ts', core);
  const before = core.union(secure);
  expect(bytes(core)).toBeLessThanOrEqual(MAX_LOADER);
  expect(bytes(secure)).toBeLessThanOrEqual(MAX_HANDSHAKE);
  const web = loads('sdk/crypto/web-crypto.ts', before);
  expect(bytes(web)).toBeLessThanOrEqual(MAX_WEB_CRYPTO);
  expect(bytes(loads('sdk/crypto/client-identity.ts', before.union(web)))).toBeLessThanOrEqual(MAX_IDENTITY);
  expect(bytes(loads('sdk/crypto/noble-crypto.ts', before))).toBeLessThanOrEqual(MAX_NOBLE);
});

test('no page loads cryptography that it does not use', () => {
  const modulesOf = (loaded: ReadonlySet<OutputChunk>): string =>
    [...loaded].flatMap(({ modules }) => Object.keys(modules)).join('\n');
  const core = loads('sdk/crypto/load-secure.ts');
  expect(modulesOf(core)).not.toMatch(/protocol\/secure|noble|\/idb\//);
  const secure = modulesOf(loads('sdk/crypto/secure.ts'));
  expect(secure).toContain('protocol/secure/noise.ts');
  expect(secure).not.toMatch(/noble|node-crypto|web-crypto|\/idb\/|accept/);
  expect(modulesOf(loads('sdk/crypto/web-crypto.ts'))).not.toMatch(/noble|\/idb\//);
  expect(modulesOf(loads('sdk/crypto/noble-crypto.ts'))).not.toMatch(/\/idb\//);
});

test('no bundler sees a module of Node', () => {
  expect(chunks.flatMap(({ imports, dynamicImports }) => [...imports, ...dynamicImports])).not.toContainEqual(
    expect.stringMatching(/^node:|^crypto$/),
  );
});
