// The console's service worker: opens the console without a network, carries requests to `/robot/` to whoever has the link,
// wakes pages when calls wait. It holds no link: the browser ends it after half a minute. Layer: worker; its only entry.
import { addGateway } from '@qiway/sdk/sw';
import { type SameVersion, SYNC_TAG, type ToPage, type ToWorker } from './messages.ts';
import { openShell, type Shell } from './shell.ts';

/** Put in by the build. */
declare const QIWAY_SHELL: Shell;

interface SyncEvent extends ExtendableEvent {
  readonly tag: string;
}

const worker = globalThis as unknown as ServiceWorkerGlobalScope;
const shell = openShell({
  shell: QIWAY_SHELL,
  caches: worker.caches,
  fetch: (request) => worker.fetch(request),
  origin: worker.location.origin,
});

// First: what is under /robot/ is the robot's.
addGateway();
worker.addEventListener('install', (event) => event.waitUntil(shell.install()));
worker.addEventListener('activate', (event) =>
  event.waitUntil(shell.removeOthers().then(() => worker.clients.claim())),
);
worker.addEventListener('fetch', (event) => {
  const answer = shell.answer(event.request);
  if (answer !== undefined) event.respondWith(answer);
});
worker.addEventListener('message', (event) => {
  const message = event.data as ToWorker | undefined;
  if (message?.console === 'take-over') void worker.skipWaiting();
  if (message?.console === 'same-version')
    event.ports[0]?.postMessage({ isSame: shell.has(message.entry) } satisfies SameVersion);
});
// The network is back. A page, or the worker that pages share, has the link; without one there is nobody who could call.
worker.addEventListener('sync', (event) => {
  const { tag } = event as SyncEvent;
  if (tag === SYNC_TAG) (event as SyncEvent).waitUntil(wakePages());
});

async function wakePages(): Promise<void> {
  const pages = await worker.clients.matchAll({ type: 'window', includeUncontrolled: true });
  for (const page of pages) page.postMessage({ console: 'look-now' } satisfies ToPage);
}
