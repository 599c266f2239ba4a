// The robot console's entry: makes the page's state and shows it. Layer: page; the only file that touches globals at load.
import './style/tokens.css';
import './style/base.css';
import './style/shell.css';
import './style/status.css';
import './style/drive.css';
import './style/explore.css';
import './style/plot.css';
import { render } from 'preact';
import { createConsole } from './console-state.ts';
import { createTheme } from './theme.ts';
import { ConsolePage } from './views/console-page.tsx';

const root = document.getElementById('console');
if (root === null) throw new Error('index.html has no element with the id "console"');

const theme = createTheme(document.documentElement, localStorage, matchMedia('(prefers-color-scheme: dark)'));
const state = createConsole({ location, history, sessionStorage, theme });

window.addEventListener('hashchange', () => state.link.dial());
window.addEventListener('keydown', (event) => {
  if (event.key === 'Escape') state.halt();
});
// Leaving the page while driving: the stop and the goodbye still leave before the link does.
window.addEventListener('pagehide', () => state.leave());
window.addEventListener('pageshow', (event) => {
  if (event.persisted) state.link.dial();
});
state.link.dial();
render(<ConsolePage state={state} />, root);
