// Whatever comes, the door answers: with JSON or a problem document, never with a fault of its own.
import fc from 'fast-check';
import { beforeEach, expect, test } from 'vitest';
import { createDoor, type Door } from '../../protocol/http-door/door.ts';
import { doorRobot } from '../support/door-robot.ts';
import { virtualClock } from '../support/virtual-clock.ts';

let door: Door;
beforeEach(async () => {
  const { bus } = await doorRobot();
  door = createDoor(bus, { clock: virtualClock(), newEpoch: () => 'e', maxBodyBytes: 100_000 });
});

const members = [
  'say',
  'add',
  'kind',
  'twins',
  'any',
  'echo',
  'large',
  'point',
  'upload',
  'volume',
  'mixed',
  'wordSaid',
  'properties',
  'say::(s)',
  'property',
];
const methods = fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH');
const accepts = fc.constantFrom(
  '',
  '*/*',
  'application/json',
  'application/octet-stream',
  'text/html;q=x',
  ',;q=,',
  'application/*;q=0',
);

async function check(request: { method: string; path: string; accept: string; body: Uint8Array }): Promise<void> {
  const { method, path, accept, body } = request;
  const response = await door.handle({ method, path, headers: { accept }, body });
  const said = JSON.stringify({ method, path, accept, status: response.status });
  expect(response.body, said).toBeInstanceOf(Uint8Array);
  const text = new TextDecoder().decode(response.body as Uint8Array);
  const json =
    text === '' || response.headers['content-type'] === 'application/octet-stream'
      ? {}
      : (JSON.parse(text) as { code?: string });
  if (response.status >= 400 && method !== 'HEAD') expect(json, said).toHaveProperty('code');
  // A value outside the range of a property is the robot's own refusal.
  if (response.status >= 500) expect((json as { code: string }).code, said).toBe('call-failed');
}

test('any JSON as arguments of any member', async () => {
  const names = fc.constantFrom(...members).map((name) => `/robot/services/Tester/${encodeURIComponent(name)}`);
  const bodies = fc
    .oneof(
      fc.array(fc.jsonValue({ maxDepth: 3 }), { maxLength: 3 }),
      fc.jsonValue(),
      fc.record({ value: fc.jsonValue() }),
    )
    .map((json) => new TextEncoder().encode(JSON.stringify(json)));
  await fc.assert(fc.asyncProperty(fc.record({ method: methods, path: names, accept: accepts, body: bodies }), check), {
    numRuns: 500,
  });
});

test('any path and any bytes', async () => {
  const paths = fc.oneof(
    fc.string().map((text) => `/robot/services/${text}`),
    fc.webPath().map((path) => `/robot${path}`),
    fc.string(),
  );
  const bodies = fc.oneof(
    fc.uint8Array({ maxLength: 50 }),
    fc.string().map((text) => new TextEncoder().encode(`[${text}]`)),
  );
  await fc.assert(fc.asyncProperty(fc.record({ method: methods, path: paths, accept: accepts, body: bodies }), check), {
    numRuns: 500,
  });
}, 60_000);
