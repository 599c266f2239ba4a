// 10,000 services in one directory: registered over TCP, listed, looked up, and gone with the program that offered them.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { encodeValue } from '../../protocol/wire/value.ts';
import {
  type BusListenerHandle,
  createObject,
  EmbeddedBus,
  type JoinedBus,
  joinBus,
  listenBus,
  method,
} from '../../robot-agent/qi/index.ts';
import { callMethod, failureOf } from '../contract/calls.ts';

const SERVICES = 10_000;
/** Registered at once. */
const BATCH = 500;
const FEW = 100;
const SAMPLES = 101;
const MARGIN = 3;

let bus: EmbeddedBus;
let listener: BusListenerHandle;
let program: JoinedBus;
let client: JoinedBus;
const thing = createObject({ step: method('(i)', 'i', (by: number) => by + 1) });

beforeAll(async () => {
  bus = new EmbeddedBus({ machineId: 'machine', processId: 1, sessionId: 'session' });
  listener = await listenBus(bus, 'tcp://127.0.0.1:0');
  [program, client] = await Promise.all([joinBus(listener.url), joinBus(listener.url)]);
});
afterAll(async () => {
  await client.close();
  await program.close();
  await listener.close();
  await bus.close();
});

async function registerUntil(count: number): Promise<void> {
  for (let next = bus.registry.list().length - 1; next < count; next += BATCH) {
    const names = Array.from({ length: Math.min(BATCH, count - next) }, (_, index) => `S${next + index}`);
    await Promise.all(
      names.map((name) => {
        thing.retain();
        return program.host(name, thing);
      }),
    );
  }
}

/** Microseconds; the quickest of three rounds. */
async function lookUp(among: number): Promise<number> {
  const medians: number[] = [];
  for (let round = 0; round < 3; round += 1) {
    const times: number[] = [];
    for (let sample = 0; sample < SAMPLES; sample += 1) {
      const start = performance.now();
      const info = await client.serviceInfo(`S${Math.floor((among * sample) / SAMPLES)}`);
      times.push((performance.now() - start) * 1000);
      expect(info.endpoints.length).toBeGreaterThan(0);
    }
    medians.push(times.sort((a, b) => a - b)[SAMPLES >> 1] ?? Number.NaN);
  }
  return Math.min(...medians);
}

test('one service is looked up as fast among 10,000 as among 100', async () => {
  await registerUntil(FEW);
  await lookUp(FEW); // everything is compiled
  const few = await lookUp(FEW);
  await registerUntil(SERVICES);
  const many = await lookUp(SERVICES);
  expect(many, `${few} us among ${FEW}`).toBeLessThan(few * MARGIN);
}, 60_000);

test('all of them are listed, in bounded bytes', async () => {
  const infos = await client.services();
  expect(infos).toHaveLength(SERVICES + 1);
  expect(infos.map(({ serviceId }) => serviceId)).toEqual(
    infos.map(({ serviceId }) => serviceId).toSorted((a, b) => a - b),
  );
  const bytes = infos.reduce((sum, { endpoints }) => sum + encodeValue('[s]', endpoints).length, 0);
  expect(bytes / SERVICES).toBeLessThan(200);
  expect(infos.find(({ name }) => name === 'S7')?.endpoints[0]).toBe('qi:S7');
});

test('any of them is called; a name that is none is refused with names that look alike', async () => {
  for (const name of ['S0', 'S5000', `S${SERVICES - 1}`]) {
    const service = await client.service(name);
    expect(await callMethod(service, 'step', 1)).toBe(2);
    service.release();
  }
  const { code, data } = await failureOf(client.service('Other'));
  expect(code).toBe('service-not-found');
  expect(data).toMatchObject({ nearest: [] });
});

test('all leave with the program, each told once', async () => {
  const left = new Map<string, number>();
  const allLeft = new Promise<void>((resolve) => {
    client.listen({
      serviceRemoved: ({ name }) => {
        left.set(name, (left.get(name) ?? 0) + 1);
        if (left.size === SERVICES) resolve();
      },
    });
  });
  const held = await client.service('S42');
  await program.close();
  await allLeft;
  expect([...left.values()].every((count) => count === 1)).toBe(true);
  expect(held.goneWith).toMatchObject({ code: 'service-gone' });
  expect((await client.services()).map(({ name }) => name)).toEqual(['ServiceDirectory']);
  expect(bus.registry.list()).toHaveLength(1);
}, 30_000);
