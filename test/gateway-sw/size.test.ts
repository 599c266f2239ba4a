// The service worker is fetched before anything can be offline, and read anew whenever the browser starts it: it stays small.
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { bundle } from '../support/gateway-site.ts';

const MAX_BYTES = 4096;

test('the ready service worker, minified and gzipped, is within its bound', async () => {
  const code = await bundle('sdk/gateway/ready-sw.ts', 'iife', true);
  expect(code).not.toMatch(/\bimport\b/);
  expect(gzipSync(code, { level: 9 }).length).toBeLessThanOrEqual(MAX_BYTES);
});
