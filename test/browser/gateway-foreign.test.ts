// Pages of other sites, in a real Chromium: what they can have the service worker of an app ask is refused.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Page } from 'playwright';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type GatewayPage, openGatewayPage } from '../support/gateway-browser.ts';

const TESTER = '/robot/services/Tester';

let gateway: GatewayPage;
let server: Server;
/** Of the same site, which is worse: its frames have the app's service worker. */
let foreign: string;

beforeAll(async () => {
  gateway = await openGatewayPage();
  await gateway.own();
  server = createServer((_, response) => response.setHeader('content-type', 'text/html').end('<title>foreign</title>'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  foreign = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});
afterAll(async () => {
  server?.close();
  server?.closeAllConnections();
  await gateway?.close();
});
beforeEach(() => {
  gateway.robot.log.length = 0;
});

/** Opens a foreign page with such a body; gives the answer that it got from the worker. */
async function attack(body: string, run: (page: Page) => Promise<unknown> = async () => {}): Promise<unknown> {
  const page = await gateway.context.newPage();
  try {
    await page.goto(foreign);
    const answered = page.waitForEvent('response', (response) => response.url().includes('/robot/'));
    await page.evaluate((html) => {
      document.body.innerHTML = html;
    }, body);
    await run(page);
    const response = await answered;
    return [response.status(), response.fromServiceWorker()];
  } finally {
    await page.close();
  }
}

describe('another site', () => {
  test('cannot send a form', async () => {
    const form = `<form method="post" enctype="text/plain" action="${gateway.site.origin}${TESTER}/say"><input name='["moved", "' value='"]'></form>`;
    const sent = await attack(form, (page) => page.evaluate(() => document.forms[0]?.submit()));
    expect(sent).toEqual([403, true]);
    expect(gateway.robot.log).toEqual([]);
  });

  test.each(['', 'referrerpolicy="no-referrer"', 'referrerpolicy="unsafe-url"'])(
    'cannot ask by a frame %s',
    async (policy) => {
      const url = `${gateway.site.origin}${TESTER}/getNow`;
      expect(await attack(`<iframe ${policy} src="${url}"></iframe>`)).toEqual([403, true]);
      expect(gateway.robot.log).toEqual([]);
    },
  );

  test('cannot ask by a link', async () => {
    const link = `<a href="${gateway.site.origin}${TESTER}/getNow">a kitten</a>`;
    expect(await attack(link, (page) => page.click('a'))).toEqual([403, true]);
    expect(gateway.robot.log).toEqual([]);
  });

  test('cannot reach it by a picture, a script or fetch(): those are not the worker’s', async () => {
    const page = await gateway.context.newPage();
    await page.goto(foreign);
    const reached = await page.evaluate(async (url) => {
      const picture = await new Promise<string>((resolve) => {
        const image = new Image();
        image.onload = () => resolve('shown');
        image.onerror = () => resolve('not shown');
        image.src = `${url}/getPicture?args=[11]`;
      });
      const opaque = await fetch(`${url}/say`, { method: 'POST', mode: 'no-cors', body: '["moved"]' }).then(
        ({ type }) => type,
        () => 'refused',
      );
      const readable = await fetch(`${url}/say`, { method: 'POST', body: '["moved"]' }).then(
        ({ type }) => type,
        () => 'refused',
      );
      return { picture, opaque, readable };
    }, `${gateway.site.origin}${TESTER}`);
    // The app's server has nothing there but its page.
    expect(reached).toEqual({ picture: 'not shown', opaque: 'opaque', readable: 'refused' });
    expect(gateway.robot.log).toEqual([]);
    await page.close();
  });
});

test('a link and a frame of the app itself are answered', async () => {
  const page = await gateway.openPage();
  const answered = page.waitForEvent('response', (response) => response.url().includes('/robot/'));
  await page.evaluate((url) => {
    const frame = document.createElement('iframe');
    frame.src = url;
    document.body.append(frame);
  }, `${TESTER}/getSum?args=[1,2]&as=json`);
  expect((await answered).status()).toBe(200);
  await page.close();
});
