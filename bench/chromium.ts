// Starts a bare Chromium (no debugger attached) on a page that works off jobs, and hands jobs to it over HTTP.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'vite';
import { findBrowser } from '../scripts/find-browser.mjs';
import type { SideName } from './echo-client.ts';
import type { Job } from './measures.ts';
import { pathOf } from './processes.ts';

export interface Page {
  /** The page's origin, for those who check it. */
  readonly origin: string;
  run(side: SideName, job: Job): Promise<unknown>;
  stop(): Promise<void>;
}

/** Resolution of `performance.now()` is 5 µs on such pages, 100 µs on others. But their SharedWorkers have a process of their own. */
const ISOLATED = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };

/** Longest wait for the page to ask for its first job. */
const OPEN_MS = 30_000;

/** The scripts of the page by path: the SDK loads some of its parts when they are needed. `/page.js` is the first. */
async function bundlePage(): Promise<ReadonlyMap<string, string>> {
  const built = await build({
    configFile: false,
    logLevel: 'error',
    worker: { format: 'es' },
    build: {
      write: false,
      target: 'esnext',
      minify: true,
      modulePreload: false,
      rollupOptions: { input: pathOf('./page-client.ts'), output: { entryFileNames: 'page.js' } },
    },
  });
  const [output] = Array.isArray(built) ? built : [built];
  if (output === undefined || !('output' in output)) throw new Error('the page of the bench was not built');
  return new Map(
    output.output.map((item) => [`/${item.fileName}`, item.type === 'chunk' ? item.code : String(item.source)]),
  );
}

/** @throws Error when there is no Chromium, or its page does not come up */
export async function openPage({ isIsolated }: { readonly isIsolated: boolean }): Promise<Page> {
  const headers = isIsolated ? ISOLATED : {};
  const path = await findBrowser();
  if (path === undefined)
    throw new Error('There is no Chromium. "node scripts/setup.mjs --browser" finds or installs one.');
  const scripts = await bundlePage();
  let asking: ServerResponse | undefined;
  let asked = (): void => {};
  let answered: (outcome: unknown) => void = () => {};
  const server = createServer((request, response) => {
    if (request.url === '/job') {
      asking = response;
      asked();
    } else if (request.url === '/outcome') {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        response.writeHead(204).end();
        answered(JSON.parse(Buffer.concat(parts).toString()));
      });
    } else if (scripts.has(request.url ?? '')) {
      response.writeHead(200, { 'Content-Type': 'text/javascript', ...headers }).end(scripts.get(request.url ?? ''));
    } else {
      response
        .writeHead(200, { 'Content-Type': 'text/html', ...headers })
        .end('<!doctype html><title>bench</title><script type="module" src="/page.js"></script>');
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the job server has no port');
  const origin = `http://127.0.0.1:${address.port}`;
  const profile = await mkdtemp(join(tmpdir(), 'qiway-bench-'));
  const flags = [
    '--headless=new',
    '--no-first-run',
    '--disable-gpu',
    '--disable-extensions',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--no-default-browser-check',
    `--user-data-dir=${profile}`,
  ];
  if (process.getuid?.() === 0) flags.push('--no-sandbox');
  const browser = spawn(path, [...flags, `${origin}/`], { stdio: 'ignore' });
  let broken = (_why: Error): void => {};
  browser.once('exit', () => broken(new Error('Chromium ended')));
  browser.once('error', (error) => broken(error));
  const stop = async (): Promise<void> => {
    server.close();
    server.closeAllConnections();
    await end(browser);
    await rm(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  };
  const idle = async (): Promise<ServerResponse> => {
    if (asking === undefined) {
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error('the page of the bench did not ask for work')), OPEN_MS);
        broken = reject;
        asked = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    const response = asking;
    if (response === undefined) throw new Error('the page went away');
    asking = undefined;
    return response;
  };
  return {
    origin,
    run: async (side, job) => {
      const response = await idle();
      const outcome = new Promise<unknown>((resolve, reject) => {
        answered = resolve;
        broken = reject;
      });
      response.writeHead(200, { 'Content-Type': 'application/json', ...headers }).end(JSON.stringify({ side, job }));
      return await outcome;
    },
    stop,
  };
}

async function end(browser: ChildProcess): Promise<void> {
  if (browser.exitCode !== null || browser.signalCode !== null || browser.pid === undefined) return;
  const gone = once(browser, 'exit');
  browser.kill('SIGTERM');
  await gone;
}
