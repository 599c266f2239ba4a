// The robot console's entry: makes the page's state and shows it. Layer: page; the only file that touches globals at load.
import './style/tokens.css';
import './style/base.css';
import './style/head.css';
import './style/shell.css';
import './style/status-panel.css';
import './style/status.css';
import './style/drive-controls.css';
import './style/drive.css';
import './style/explore.css';
import './style/plot.css';
import { diagnose } from '@qiway/sdk';
import { render } from 'preact';
import { createConsole } from './console-state.ts';
import { openMemory } from './memory/memory.ts';
import { openRobotStore } from './memory/robot-store.ts';
import { createOwnWorker } from './own-worker.ts';
import { createTheme } from './theme.ts';
import { ConsolePage } from './views/console-page.tsx';

const root = document.getElementById('console');
if (root === null) throw new Error('index.html has no element with the id "console"');

const theme = createTheme(document.documentElement, localStorage, matchMedia('(prefers-color-scheme: dark)'));
const memory = await openMemory({
  openStore: openRobotStore,
  after: (delayMs, run) => {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
});
const state = createConsole({
  location,
  history,
  sessionStorage,
  memory,
  openWorker: (lookNow) =>
    createOwnWorker({
      isSecure: isSecureContext,
      // Not there on pages of http://robot-ip, whatever the types say.
      container: (navigator as { readonly serviceWorker?: ServiceWorkerContainer }).serviceWorker,
      page: window,
      entry: import.meta.env.PROD ? new URL(import.meta.url).pathname : undefined,
      reload: () => location.reload(),
      lookNow,
    }),
  diagnose: (url, onStep) => diagnose(url, { onStep }),
  openChannel: () => new BroadcastChannel('qiway-console'),
  theme,
});

window.addEventListener('hashchange', () => state.dial());
window.addEventListener('keydown', (event) => {
  if (event.key === 'Escape') state.halt();
});
// Leaving the page while driving: the stop and the goodbye still leave before the link does.
window.addEventListener('pagehide', () => state.leave());
window.addEventListener('pageshow', (event) => {
  if (event.persisted) state.dial();
});
state.dial();
render(<ConsolePage state={state} />, root);
