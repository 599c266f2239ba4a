// The ready service worker: `npx @qiway/sdk init public/` copies it as `qiway-sw.js`. For apps without a worker of their own.
import type { PageWord } from './gateway-messages.ts';
import { addGateway } from './sw.ts';
import type { WorkerScope } from './worker-scope.ts';

const scope = globalThis as unknown as WorkerScope;

addGateway();

scope.addEventListener('install', (event) => {
  // A newer one waits: taking over would cut the streams that run through the older. Pages say when there are none.
  if (scope.registration.active === null) event.waitUntil(scope.skipWaiting());
});
scope.addEventListener('activate', (event) => event.waitUntil(scope.clients.claim()));
scope.addEventListener('message', ({ data }) => {
  if ((data as PageWord | undefined)?.qiway === 'take-over') void scope.skipWaiting();
});
