// Raw buffers of every size and content through the agent, both ways: from a link to a service on a TCP socket, and from a
// program on the robot's bus to a page. Nothing of them stays.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { connect, type Robot, type RobotConnectOptions } from '@qiway/sdk';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BusObject } from '../../protocol/bus/bus.ts';
import { method } from '../../protocol/objects/hosted-object.ts';
import { callMethod } from '../contract/calls.ts';
import { type RealRobot, realRobot } from '../sdk/real-robot.ts';

interface Thing {
  echo(raw: Uint8Array): Promise<Uint8Array>;
  size(raw: Uint8Array): Promise<number>;
}

const MEBIBYTE = 1_048_576;
const HUNDRED_MEGABYTES = 100_000_000;
const SIZES = [0, 1, 8191, 8192, 8193, 65_535, 65_536, 65_537, MEBIBYTE, 16 * MEBIBYTE];
/** A busy machine carries a hundred megabytes in a second or two each way. */
const PATIENCE: RobotConnectOptions = { timeoutMs: 60_000 };

type Content = 'zero' | 'random' | 'text';
const CONTENTS: readonly Content[] = ['zero', 'random', 'text'];

function raw(content: Content, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  if (content === 'text') bytes.fill(0x61);
  // 65,536 bytes are the most that are given at once; the offset makes each piece differ.
  if (content === 'random')
    for (let at = 0; at < size; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536));
  return bytes;
}

/** Not by `toEqual`: that looks at each byte as a value. */
function isSame(one: Uint8Array, other: unknown): boolean {
  return other instanceof Uint8Array && Buffer.compare(one, other) === 0;
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

let robot: RealRobot;
let page: Robot<{ Thing: Thing }>;
let fromInside: BusObject;
beforeAll(async () => {
  robot = await realRobot({
    echo: method('(r)', 'r', (bytes: Uint8Array) => bytes),
    size: method('(r)', 'I', (bytes: Uint8Array) => bytes.length),
  });
  page = await connect<{ Thing: Thing }>(robot.url, PATIENCE);
  await page.host('Page', { echo: method('(r)', 'r', (bytes: Uint8Array) => bytes) });
  fromInside = await robot.bus.service('Page');
});
afterAll(async () => {
  await page.close();
  await robot[Symbol.asyncDispose]();
});

describe.each(CONTENTS)('raw buffers of %s bytes', (content) => {
  test('go to a service of the robot and back', async () => {
    const thing = await page.service('Thing');
    for (const size of SIZES) {
      const sent = raw(content, size);
      expect(isSame(sent, await thing.echo(sent)), `${size} bytes`).toBe(true);
    }
  });

  test('go to a page and back', async () => {
    for (const size of SIZES) {
      const sent = raw(content, size);
      expect(isSame(sent, await callMethod(fromInside, 'echo', sent)), `${size} bytes`).toBe(true);
    }
  });
});

test('a hundred megabytes pass both ways, and the memory comes back', async () => {
  const thing = await page.service('Thing');
  collectGarbage();
  const before = process.memoryUsage().arrayBuffers;
  /** In a function of its own: what a test holds in its variables stays. */
  const passes = async (echo: (bytes: Uint8Array) => Promise<unknown>, content: Content): Promise<boolean> => {
    const sent = raw(content, HUNDRED_MEGABYTES);
    return isSame(sent, await echo(sent));
  };
  const toRobot = (bytes: Uint8Array): Promise<unknown> => thing.echo(bytes);
  expect(await passes(toRobot, 'random')).toBe(true);
  expect(await passes(toRobot, 'zero')).toBe(true);
  expect(await passes((bytes) => callMethod(fromInside, 'echo', bytes), 'random')).toBe(true);
  const kept = (): number => {
    collectGarbage();
    return process.memoryUsage().arrayBuffers - before;
  };
  await expect.poll(kept, { timeout: 5000 }).toBeLessThan(16 * MEBIBYTE);
}, 60_000);

test('what is larger than a link takes is refused to its caller, and the link goes on', async () => {
  const thing = await page.service('Thing');
  await expect(thing.size(new Uint8Array(129 * MEBIBYTE))).rejects.toMatchObject({ code: 'limit-exceeded' });
  expect(await thing.size(new Uint8Array(10))).toBe(10);
});
