// A site with the gateway's service worker, and an app's own worker that has the gateway beside its cache: served from memory,
// with bodies that pages may send on.
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { checkout } from './checkout-copy.ts';

export interface GatewaySite {
  readonly origin: string;
  /** Requests that reached the site, by path, in order. */
  readonly seen: readonly string[];
  /** Puts bytes where the page can fetch them. */
  put(path: string, bytes: Uint8Array): void;
  /** Another version of a script, which does the same. */
  change(path: string): void;
  close(): Promise<void>;
}

const HTML =
  '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><title>page</title><script type="module" src="/page.js"></script>';

/** The app shell comes from its cache, as Workbox would have it; the robot's paths do not. */
const APP_WORKER = `
import { addGateway } from '${join(checkout, 'sdk/gateway/sw.ts')}';
addGateway();
self.addEventListener('install', (event) => {
  event.waitUntil(caches.open('shell').then((shell) => shell.addAll(['/', '/page.js'])).then(() => self.skipWaiting()));
});
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));
self.addEventListener('fetch', (event) => {
  event.respondWith(caches.match(event.request).then((known) => known ?? fetch(event.request)));
});
`;

/** One self-contained file. */
export async function bundle(entry: string, format: 'esm' | 'iife', isMinified = false): Promise<string> {
  const isCode = entry.includes('\n');
  const made = await rolldown({
    cwd: checkout,
    input: { entry: isCode ? 'virtual:entry' : join(checkout, entry) },
    platform: 'browser',
    plugins: [
      {
        name: 'entry',
        resolveId: (id) => (id === 'virtual:entry' ? id : null),
        load: (id) => (id === 'virtual:entry' ? entry : null),
      },
    ],
  });
  const { output } = await made.generate({
    format,
    minify: isMinified,
    ...(format === 'iife' ? {} : { codeSplitting: false }),
  });
  await made.close();
  return output[0].code;
}

/** The scripts of the site by their paths. */
async function buildScripts(): Promise<Map<string, string>> {
  const [page, ready, app, owner] = await Promise.all([
    bundle('test/support/gateway-page.ts', 'esm'),
    bundle('sdk/gateway/ready-sw.ts', 'iife'),
    bundle(APP_WORKER, 'iife'),
    bundle('sdk/owner/worker.ts', 'esm'),
  ]);
  return new Map([
    ['/page.js', page],
    ['/qiway-sw.js', ready],
    ['/app-sw.js', app],
    ['/qiway-worker.js', owner],
  ]);
}

/** The same site as files, for a server of its own. */
export async function writeGatewaySite(folder: string): Promise<void> {
  writeFileSync(join(folder, 'index.html'), HTML);
  for (const [path, code] of await buildScripts()) writeFileSync(join(folder, path), code);
}

export async function openGatewaySite(): Promise<GatewaySite> {
  const scripts = await buildScripts();
  const bodies = new Map<string, Uint8Array>();
  const seen: string[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? '/';
    seen.push(path);
    const body = bodies.get(path);
    if (body !== undefined) return void response.setHeader('content-type', 'application/octet-stream').end(body);
    const script = scripts.get(path);
    if (script === undefined && path.endsWith('.js')) return void response.writeHead(404).end();
    response.setHeader('content-type', script === undefined ? 'text/html' : 'text/javascript');
    response.end(script ?? HTML);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    put: (path, bytes) => bodies.set(path, bytes),
    change: (path) => scripts.set(path, `${scripts.get(path) ?? ''}\n// newer`),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
