// The installed SDK in an app of every tool: built, served, opened in a real Chromium against a real agent.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createObject, method } from '@qiway/protocol/objects/hosted-object';
import { systemClock } from '@qiway/protocol/transport/system-clock';
import { type Agent, createLogger, startAgent } from '@qiway/robot-agent';
import { joinBus } from '@qiway/robot-agent/qi';
import type { Browser } from 'playwright';
import { createServer as createViteServer } from 'vite';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { agentConfig } from '../support/agent-config.ts';
import { launchChromium } from '../support/chromium.ts';
import { runProgram } from '../support/run-program.ts';
import { type BuildApp, esbuildBuild, rollupBuild, viteBuild, webpackBuild } from './build-tools.ts';
import { type FileServer, serveFiles } from './file-server.ts';
import { type InstalledSdk, installSdk } from './installed-sdk.ts';

/** A package is built, and tools, browser and agent share a busy machine. */
const PATIENCE_MS = 90_000;

/** Calls, serves (which needs a chunk of its own), and says who owns the link. */
const APP = `import { connect } from '@qiway/sdk';
const { agent, worker } = Object.fromEntries(new URLSearchParams(location.search));
try {
  const robot = await connect(agent, worker === undefined ? {} : { worker });
  await robot.host('Page', { show: (text) => text + '!' });
  const said = await (await robot.service('Thing')).greet('you');
  globalThis.outcome = { said, owner: robot.status.owner };
} catch (error) {
  globalThis.outcome = { error: String(error) };
}`;
const HTML = '<!doctype html><link rel="icon" href="data:,"><script type="module" src="./app.js"></script>';

interface Outcome {
  readonly said?: string;
  readonly owner?: string;
  readonly error?: string;
}

let installed: InstalledSdk;
let browser: Browser;
const closing: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  [installed, browser] = await Promise.all([installSdk(), launchChromium()]);
}, PATIENCE_MS);
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});
afterAll(async () => {
  await browser?.close();
  installed?.remove();
});

async function startRobot(origin: string): Promise<Agent> {
  const config = agentConfig({ allowOrigins: [origin] });
  const agent = await startAgent(config, { logger: createLogger(() => {}, 'error'), clock: systemClock });
  closing.push(() => agent.close());
  const bus = await joinBus(agent.busUrl);
  closing.push(() => bus.close());
  const greet = method('(s)', 's', (name: string) => `hello ${name}`);
  await bus.host('Thing', createObject({ greet }));
  return agent;
}

async function serve(folder: string, pages: Readonly<Record<string, string>> = {}): Promise<FileServer> {
  const server = await serveFiles({ folder, pages });
  closing.push(() => server.close());
  return server;
}

/** What the app at an address came to, with a fresh robot. */
async function visit(page: string, worker?: string): Promise<Outcome> {
  const url = new URL(page);
  const agent = await startRobot(url.origin);
  url.searchParams.set('agent', agent.url);
  if (worker !== undefined) url.searchParams.set('worker', worker);
  const context = await browser.newContext();
  closing.push(() => context.close());
  const tab = await context.newPage();
  const errors: string[] = [];
  tab.on('pageerror', (error) => errors.push(String(error)));
  await tab.goto(url.href);
  await tab
    .waitForFunction(() => 'outcome' in globalThis, undefined, { timeout: 30_000 })
    .catch((cause: unknown) => {
      throw new Error(`The app came to nothing: ${errors.join('\n')}`, { cause });
    });
  return tab.evaluate(() => (globalThis as unknown as { outcome: Outcome }).outcome);
}

const BY_WORKER: Outcome = { said: 'hello you', owner: 'worker' };
const BY_PAGE: Outcome = { said: 'hello you', owner: 'page' };

async function buildApp(name: string, build: BuildApp): Promise<string> {
  return build(installed.writeApp(name, { 'app.js': APP, 'index.html': HTML }));
}

/** As `npx @qiway/sdk init` does for the app's author. */
async function copyReadyFiles(folder: string): Promise<void> {
  const program = join(installed.sdk, 'bin/qiway.js');
  const { code, stderr } = await runProgram(process.execPath, [program, 'init', folder], { cwd: installed.folder });
  expect(stderr).toBe('');
  expect(code).toBe(0);
}

describe('an app that imports the SDK', { timeout: PATIENCE_MS }, () => {
  test('in the dev server of Vite: a SharedWorker owns the link', async () => {
    const root = installed.writeApp('vite-dev', { 'app.js': APP, 'index.html': HTML });
    const server = await createViteServer({
      configFile: false,
      root,
      logLevel: 'error',
      server: { host: '127.0.0.1', port: 0, ws: false, fs: { allow: [installed.folder] } },
    });
    closing.push(() => server.close());
    await server.listen();
    expect(await visit(server.resolvedUrls?.local[0] ?? '')).toEqual(BY_WORKER);
  });

  test('built by Vite: a SharedWorker owns the link', async () => {
    const { origin, missing } = await serve(await buildApp('vite', viteBuild));
    expect(await visit(`${origin}/index.html`)).toEqual(BY_WORKER);
    expect(missing).toEqual([]);
  });

  test('built by webpack: a SharedWorker owns the link', async () => {
    const { origin, missing } = await serve(await buildApp('webpack', webpackBuild), { '/index.html': HTML });
    expect(await visit(`${origin}/index.html`)).toEqual(BY_WORKER);
    expect(missing).toEqual([]);
  });

  describe.each([
    ['esbuild', esbuildBuild],
    ['Rollup', rollupBuild],
  ] as const)('built by %s, which leaves workers alone', (name, build) => {
    let folder: string;
    beforeAll(async () => {
      folder = await buildApp(name, build);
    }, PATIENCE_MS);

    test('the page owns its link', async () => {
      const { origin } = await serve(folder, { '/index.html': HTML });
      expect(await visit(`${origin}/index.html`)).toEqual(BY_PAGE);
    });

    test('with the file that init copies, a SharedWorker does', async () => {
      await copyReadyFiles(folder);
      const { origin, missing } = await serve(folder, { '/index.html': HTML });
      expect(await visit(`${origin}/index.html`, '/qiway-worker.js')).toEqual(BY_WORKER);
      expect(missing).toEqual([]);
    });
  });
});

test("a worker of the app's own that imports the SDK's", { timeout: PATIENCE_MS }, async () => {
  const app = installed.writeApp('own-worker', { 'app.js': APP, 'own.js': `import '@qiway/sdk/worker';` });
  const folder = await esbuildBuild(app, ['app.js', 'own.js']);
  const { origin, missing } = await serve(folder, { '/index.html': HTML });
  expect(await visit(`${origin}/index.html`, '/own.js')).toEqual(BY_WORKER);
  expect(missing).toEqual([]);
});

describe('a page without a tool', { timeout: PATIENCE_MS }, () => {
  const importing = (sdk: string): string =>
    `<!doctype html><link rel="icon" href="data:,"><script type="module">${APP.replace("'@qiway/sdk'", `'${sdk}'`)}</script>`;
  const mapped = `<!doctype html><link rel="icon" href="data:,"><script type="importmap">{"imports":{"@qiway/sdk":"/dist/index.js"}}</script><script type="module">${APP}</script>`;

  test.each([
    ['by its path', importing('/dist/index.js')],
    ['with an import map', mapped],
  ])('that imports the SDK %s: a SharedWorker owns the link', async (_, page) => {
    const { origin, missing } = await serve(installed.sdk, { '/index.html': page });
    expect(await visit(`${origin}/index.html`)).toEqual(BY_WORKER);
    expect(missing).toEqual([]);
  });

  test('that imports the SDK of a CDN: the page owns its link, or a copied worker of its own origin', async () => {
    const cdn = await serveFiles({ folder: installed.sdk, headers: { 'access-control-allow-origin': '*' } });
    closing.push(() => cdn.close());
    const folder = installed.writeApp('cdn', { 'index.html': importing(`${cdn.origin}/dist/index.js`) });
    await copyReadyFiles(folder);
    const { origin } = await serve(folder);
    expect(await visit(`${origin}/index.html`)).toEqual(BY_PAGE);
    expect(await visit(`${origin}/index.html`, '/qiway-worker.js')).toEqual(BY_WORKER);
    expect(cdn.missing).toEqual([]);
  });
});

describe('a page with a content security policy', { timeout: PATIENCE_MS }, () => {
  test.each([
    ["worker-src 'self'", BY_WORKER],
    ["worker-src 'none'", BY_PAGE],
  ])('of %s', async (workers, outcome) => {
    const folder = await buildApp(`policy-${outcome.owner}`, viteBuild);
    const policy = `default-src 'none'; script-src 'self'; connect-src 'self' ws: wss:; img-src data:; ${workers}`;
    const server = await serveFiles({ folder, headers: { 'content-security-policy': policy } });
    closing.push(() => server.close());
    expect(await visit(`${server.origin}/index.html`)).toEqual(outcome);
  });
});

describe('the ready service worker', () => {
  test.each(['classic', 'module'])('registers as a %s script', { timeout: PATIENCE_MS }, async (type) => {
    const { origin } = await serve(join(installed.sdk, 'dist'), { '/index.html': '<!doctype html>' });
    const context = await browser.newContext();
    closing.push(() => context.close());
    const tab = await context.newPage();
    await tab.goto(`${origin}/index.html`);
    const register = async (kind: string): Promise<string | undefined> => {
      await navigator.serviceWorker.register('/qiway-sw.js', { type: kind as WorkerType });
      return (await navigator.serviceWorker.ready).active?.scriptURL;
    };
    expect(await tab.evaluate(register, type)).toBe(`${origin}/qiway-sw.js`);
  });
});

describe('the package', () => {
  test('holds the programs, what is built, and no sources', () => {
    expect(installed.files).toEqual(
      expect.arrayContaining(
        ['index', 'react', 'stores', 'gateway', 'sw', 'worker', 'qiway-worker', 'qiway-sw', 'cli/main'].map(
          (name) => `package/dist/${name}.js`,
        ),
      ),
    );
    expect(installed.files).toContain('package/bin/qiway.js');
    expect(installed.files).toContain('package/dist/THIRD-PARTY-LICENSES.txt');
    expect(installed.files.filter((file) => /(?<!\.d)\.tsx?$|node_modules|\.map$/.test(file))).toEqual([]);
  });

  test('imports nothing in a browser but itself, and React for its hooks', () => {
    const dist = join(installed.sdk, 'dist');
    const imported = readdirSync(dist)
      .filter((file) => file.endsWith('.js'))
      .flatMap((file) =>
        [...readFileSync(join(dist, file), 'utf8').matchAll(/^(?:import|export)\b[^;]*?\bfrom\s*"([^"]+)"/gm)].map(
          ([, name]) => `${file} ${name}`,
        ),
      );
    expect(imported).toContainEqual(expect.stringContaining('index.js ./'));
    expect(imported.filter((name) => !name.includes(' ./'))).toEqual(['react.js react']);
  });
});
