// The SDK in a page stays small: the bound is what was reached, so that no growth goes unnoticed.
import { expect, test } from 'vitest';
import { coreModules, sdkSize } from '../../scripts/size.ts';

/** Bytes, minified and gzipped; see docs/decisions/0006. Lower it when it got less. */
const MAX_CORE_BYTES = 24_500;
const MAX_ON_DEMAND_BYTES = 12_600;

test('what a page loads to call services is within its bound, and so is what comes on demand', async () => {
  const { coreGzipBytes, onDemandGzipBytes } = await sdkSize();
  expect(coreGzipBytes).toBeLessThanOrEqual(MAX_CORE_BYTES);
  expect(onDemandGzipBytes).toBeLessThanOrEqual(MAX_ON_DEMAND_BYTES);
});

test('nothing that only serving objects needs is loaded at once', async () => {
  const modules = (await coreModules()).map(({ module }) => module);
  expect(modules).toContain('protocol/objects/remote-object.ts');
  for (const name of [
    'bus/serving',
    'bus/overload',
    'bus/convert',
    'objects/hosted',
    'objects/members',
    'objects/answers',
  ])
    expect(modules).not.toContain(`protocol/${name}.ts`);
});
