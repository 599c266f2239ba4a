// A newer build of the console at the same address: it waits until a person takes it, in every tab; whoever runs it already is
// not asked. The pages have no robot: a plain server of files is enough.
import { createReadStream, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { launchChromium } from '../support/chromium.ts';
import { buildConsole } from '../support/console-site.ts';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.webmanifest': 'application/manifest+json',
};

let built: Awaited<ReturnType<typeof buildConsole>>;
let server: Server;
let origin: string;
let browser: Browser;
let context: BrowserContext;
let builds = 0;

beforeAll(async () => {
  built = await buildConsole();
  server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const path = join(built.folder, pathname === '/' ? 'index.html' : pathname);
    const isThere = statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
    response.writeHead(isThere ? 200 : 404, {
      'content-type': TYPES[extname(path)] ?? 'text/plain',
      'cache-control': 'no-cache',
    });
    if (isThere) createReadStream(path).pipe(response);
    else response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  browser = await launchChromium();
});
afterAll(async () => {
  await browser?.close();
  server?.closeAllConnections();
  server?.close();
  built?.remove();
});
beforeEach(async () => {
  context = await browser.newContext();
});
afterEach(async () => {
  await context.close();
});

const entry = (): string => /assets\/(index-[\w-]+\.js)/.exec(read('index.html'))?.[1] ?? '';
const read = (name: string): string => readFileSync(join(built.folder, name), 'utf8');

/** The same sources again, with another name for the main script in all files. */
function buildAgain(): void {
  builds += 1;
  const [before, after] = [entry(), `index-build${builds}.js`];
  const files = ['index.html', 'sw.js', ...readdirSync(join(built.folder, 'assets')).map((name) => `assets/${name}`)];
  for (const name of files.filter((file) => /\.(js|html)$/.test(file))) {
    const changed = read(name).replaceAll(before, after);
    writeFileSync(
      join(built.folder, name),
      name === 'sw.js' ? changed.replace(/version:[`"'][^`"']+/, (found) => `${found}-${builds}`) : changed,
    );
  }
  renameSync(join(built.folder, 'assets', before), join(built.folder, 'assets', after));
}

async function open(): Promise<Page> {
  const page = await context.newPage();
  await page.goto(origin);
  await page.waitForFunction(() => navigator.serviceWorker.controller?.state === 'activated');
  return page;
}

const notice = (page: Page): ReturnType<Page['locator']> => page.locator('.notice.newer');
const script = (page: Page): Promise<string> =>
  page.evaluate(() => document.querySelector<HTMLScriptElement>('script[type=module]')?.src.split('/').at(-1) ?? '');
const mark = (page: Page): Promise<void> => page.evaluate(() => void Object.assign(window, { isMarked: true }));
const isMarked = (page: Page): Promise<boolean> => page.evaluate(() => 'isMarked' in window);
const lookForNewer = (page: Page): Promise<unknown> =>
  page.evaluate(async () => {
    await (await navigator.serviceWorker.ready).update();
  });

test('a newer version waits for a person, in each tab that runs the older one', async () => {
  const one = await open();
  const other = await open();
  await mark(one);
  await mark(other);
  buildAgain();
  await lookForNewer(one);
  await notice(one).waitFor();
  await notice(other).waitFor();
  expect([await isMarked(one), await isMarked(other)]).toEqual([true, true]);
  await notice(one).getByRole('button', { name: 'Reload' }).click();
  await one.waitForFunction(() => !('isMarked' in window));
  await one.waitForFunction(() => navigator.serviceWorker.controller?.state === 'activated');
  expect(await script(one)).toBe(entry());
  expect(await isMarked(other)).toBe(true);
  await notice(other).getByRole('button', { name: 'Reload' }).click();
  await other.waitForFunction(() => !('isMarked' in window));
  expect(await script(other)).toBe(entry());
  expect(await one.evaluate(async () => (await caches.keys()).length)).toBe(1);
});

test('a page that got the newer version from the network already is not asked', async () => {
  const page = await open();
  const [kept] = await page.evaluate(() => caches.keys());
  buildAgain();
  await page.reload();
  expect(await script(page)).toBe(entry());
  // The worker of that build takes over by itself, and only its cache is left.
  await page.waitForFunction(async (old) => {
    const names = await caches.keys();
    return names.length === 1 && names[0] !== old;
  }, kept);
  expect(await notice(page).count()).toBe(0);
});
