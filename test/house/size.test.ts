// The SDK in a page stays small: the bounds are what was reached, so that no growth goes unnoticed.
import { expect, test } from 'vitest';
import { modulesOf, type Stage, sdkSize, workerSizes } from '../../scripts/size.ts';

/** Bytes, minified and gzipped, by when they are loaded (scripts/size.ts); see docs/decisions/0006. Lower one when it got less. */
const MAX_BYTES: Readonly<Record<Stage, number>> = {
  core: 14_850,
  link: 34_600,
  handshake: 7_000,
  fallback: 14_600,
  node: 900,
  onDemand: 55_800,
};

/** Of what the two workers load at once; the goals are 10 kB and 4 kB. */
const MAX_WORKER_BYTES = { worker: 5_300, serviceWorker: 3_400 };

async function namesOf(stage: Stage): Promise<string[]> {
  return (await modulesOf(stage)).map(({ module }) => module);
}

test('what a page loads is within its bounds', async () => {
  const { gzipBytes } = await sdkSize();
  for (const [stage, bytes] of Object.entries(gzipBytes))
    expect.soft(bytes, stage).toBeLessThanOrEqual(MAX_BYTES[stage as Stage]);
});

test('the SharedWorker and the service worker are within theirs', async () => {
  const { worker, serviceWorker } = await workerSizes();
  expect.soft(worker).toBeLessThanOrEqual(MAX_WORKER_BYTES.worker);
  expect.soft(serviceWorker).toBeLessThanOrEqual(MAX_WORKER_BYTES.serviceWorker);
});

test('nothing that only serving objects needs is loaded before it is needed', async () => {
  const modules = [...(await namesOf('core')), ...(await namesOf('link'))];
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

test('a page whose session somebody else owns loads neither session nor sockets', async () => {
  expect(await namesOf('link')).toContain('protocol/session/client-session.ts');
  for (const name of await namesOf('core')) expect(name).not.toMatch(/protocol\/(session|directory)|websocket|peer/);
});
