// The page's side of its service worker: registers it, tells whether the console opens without a network, and whether a newer
// version waits. Layer: page state; the browser only through `WorkerSeam`. Without a worker everything else goes on.
import { type ReadonlySignal, signal } from '@preact/signals';
import { isToPage, type SameVersion, SYNC_TAG, type ToWorker, WORKER_URL } from './service-worker/messages.ts';

/** `insecure`: the browser has none for this page's address. `missing`: it has none at all, or refuses it. */
export type OfflineReady = 'insecure' | 'missing' | 'preparing' | 'ready';

export interface OwnWorker {
  /** Does the console open without a network? */
  readonly offline: ReadonlySignal<OfflineReady>;
  /** A newer version of the console is here; it comes with a reload. */
  readonly isNewer: ReadonlySignal<boolean>;
  /** Takes the newer version: reloads the page. */
  takeNewer(): void;
  /** The browser offers to install the console. */
  readonly canInstall: ReadonlySignal<boolean>;
  install(): void;
  /** Asks the browser to wake the pages when the network is back. */
  wakeWhenBack(): void;
}

/** Chromium's; others have it in their menus. */
interface InstallPrompt extends Event {
  prompt(): Promise<unknown>;
}

interface Sync {
  readonly register: (tag: string) => Promise<void>;
}

export interface WorkerSeam {
  readonly isSecure: boolean;
  readonly container: ServiceWorkerContainer | undefined;
  readonly page: Pick<Window, 'addEventListener'>;
  /** Of the script that runs this page; undefined: it is not built, and nothing is registered. */
  readonly entry: string | undefined;
  readonly reload: () => void;
  /** The worker asks the page to look for its robot now. */
  readonly lookNow: () => void;
}

export function createOwnWorker({ isSecure, container, page, entry, reload, lookNow }: WorkerSeam): OwnWorker {
  const offline = signal<OfflineReady>(!isSecure ? 'insecure' : container === undefined ? 'missing' : 'preparing');
  const isNewer = signal(false);
  const canInstall = signal(false);
  let prompt: InstallPrompt | undefined;
  let registration: ServiceWorkerRegistration | undefined;
  let isWanted = false;

  page.addEventListener('beforeinstallprompt', (event) => {
    event.preventDefault();
    prompt = event as InstallPrompt;
    canInstall.value = true;
  });
  page.addEventListener('appinstalled', () => (canInstall.value = false));

  /** It runs already in this page if the network was faster than the worker: then nobody needs to know. */
  async function offer(waiting: ServiceWorker): Promise<void> {
    if (await isSame(waiting, entry ?? '')) say(waiting, { console: 'take-over' });
    else isNewer.value = true;
  }

  function watch(found: ServiceWorkerRegistration): void {
    registration = found;
    if (found.active !== null) offline.value = 'ready';
    if (found.waiting !== null) void offer(found.waiting);
    const installing = (): void => {
      const worker = found.installing;
      worker?.addEventListener('statechange', () => {
        if (worker.state === 'activated') offline.value = 'ready';
        if (worker.state === 'installed' && found.active !== null) void offer(worker);
        if (worker.state === 'redundant' && found.active === null) offline.value = 'missing';
      });
    };
    installing();
    found.addEventListener('updatefound', installing);
  }

  if (isSecure && container !== undefined && entry !== undefined) {
    const hadWorker = container.controller !== null;
    container.addEventListener('controllerchange', () => {
      if (isWanted) reload();
      // Another tab took the newer version, and this page's files are gone.
      else if (hadWorker && container.controller !== null)
        void isSame(container.controller, entry).then((same) => {
          if (!same) isNewer.value = true;
        });
    });
    container.addEventListener('message', ({ data }) => isToPage(data) && lookNow());
    container.register(WORKER_URL).then(watch, () => (offline.value = 'missing'));
  }

  return {
    offline,
    isNewer,
    canInstall,
    takeNewer() {
      isWanted = true;
      const waiting = registration?.waiting;
      if (waiting === null || waiting === undefined) reload();
      else say(waiting, { console: 'take-over' });
    },
    install() {
      canInstall.value = false;
      prompt?.prompt().catch(() => undefined);
      prompt = undefined;
    },
    wakeWhenBack() {
      if (offline.peek() !== 'ready' && offline.peek() !== 'preparing') return;
      container?.ready
        .then((ready) => (ready as { readonly sync?: Sync }).sync?.register(SYNC_TAG))
        // Refused by the person, or not there: the page looks for the robot by itself while it is open.
        .catch(() => undefined);
    },
  };
}

function say(worker: ServiceWorker, message: ToWorker, transfer: Transferable[] = []): void {
  worker.postMessage(message, transfer);
}

/** A worker of a version without this question does not answer: then the page offers the newer one a little too often. */
function isSame(worker: ServiceWorker, entry: string): Promise<boolean> {
  const { port1, port2 } = new MessageChannel();
  const answer = new Promise<boolean>((resolve) => {
    const late = setTimeout(() => resolve(false), ANSWER_MS);
    port1.onmessage = ({ data }: MessageEvent<SameVersion>) => {
      clearTimeout(late);
      resolve(data.isSame);
    };
  });
  say(worker, { console: 'same-version', entry }, [port2]);
  return answer.finally(() => port1.close());
}

const ANSWER_MS = 2000;
