// Requests that would move the robot, through the service worker of an app without a link: refused now, and not made later.
import { createObject, method } from '@qiway/protocol/objects/hosted-object';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type GatewayPage, openGatewayPage } from '../support/gateway-browser.ts';

const MOVE = '/robot/services/ALMotion/moveToward';

let gateway: GatewayPage;
let ran: string[];

beforeAll(async () => {
  gateway = await openGatewayPage('/app-sw.js');
  ran = [];
  const moveToward = method('(fff)', 'v', (x: number) => void ran.push(`move ${x}`));
  await gateway.agent.bus.host('ALMotion', createObject({ moveToward }));
});
afterAll(() => gateway?.close());

async function move(x: number): Promise<unknown> {
  return gateway.page.evaluate(
    async ([path, body]) => {
      const response = await fetch(path, { method: 'POST', body });
      const { code } = (await response.json()) as { code?: string };
      return [response.status, code];
    },
    [MOVE, JSON.stringify([x, 0, 0])] as const,
  );
}

test('nobody has a link', async () => {
  expect(await move(1)).toEqual([503, 'offline']);
  await gateway.own();
  expect(await move(2)).toEqual([200, undefined]);
  expect(ran).toEqual(['move 2']);
});

test('the link is lost', async () => {
  const { page, context, proxy } = gateway;
  const lost = page.evaluate(() => globalThis.door.linkState('offline'));
  await context.setOffline(true);
  proxy.cutAll();
  await lost;
  expect(await move(3)).toEqual([503, 'offline']);
  await context.setOffline(false);
  await page.evaluate(() => globalThis.door.linkState('online'));
  expect(await move(4)).toEqual([200, undefined]);
  expect(ran).toEqual(['move 2', 'move 4']);
});

test('an app that caches its shell keeps nothing of the robot', async () => {
  const kept = await gateway.page.evaluate(async () => {
    const requests = await Promise.all((await caches.keys()).map(async (name) => (await caches.open(name)).keys()));
    return requests.flat().map(({ url }) => new URL(url).pathname);
  });
  expect(kept).toEqual(['/', '/page.js']);
});
