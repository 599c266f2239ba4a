// A Chromium as people have it: no driver that keeps all tabs awake and in front, only its own debugging port.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { findBrowser } from '../../scripts/find-browser.mjs';

export interface BareTab {
  /** Value of an expression, awaited. @throws Error with what it threw */
  evaluate(expression: string): Promise<unknown>;
}

export interface BareChromium {
  /** Opens a tab in front of those that are open. */
  open(url: string): Promise<BareTab>;
  close(): Promise<void>;
}

interface Target {
  readonly webSocketDebuggerUrl: string;
}

interface Evaluated {
  readonly result: { readonly value?: unknown };
  readonly exceptionDetails?: { readonly exception?: { readonly description?: string } };
}

export async function launchBareChromium(): Promise<BareChromium> {
  const path = await findBrowser();
  if (path === undefined) throw new Error('There is no Chromium.');
  const profile = mkdtempSync(join(tmpdir(), 'qiway-bare-'));
  const sandbox = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  const flags = ['--headless=new', '--no-first-run', '--disable-background-networking', '--disable-dev-shm-usage'];
  const browser = spawn(path, [...flags, ...sandbox, '--remote-debugging-port=0', `--user-data-dir=${profile}`], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const origin = await debuggingOrigin(browser);
  const sockets: WebSocket[] = [];
  return {
    async open(url) {
      const answer = await fetch(`${origin}/json/new?${url}`, { method: 'PUT' });
      const { webSocketDebuggerUrl } = (await answer.json()) as Target;
      const socket = new WebSocket(webSocketDebuggerUrl);
      sockets.push(socket);
      await once(socket, 'open');
      return tabOver(socket);
    },
    async close() {
      for (const socket of sockets) socket.close();
      if (browser.exitCode === null) {
        const gone = once(browser, 'exit');
        browser.kill('SIGTERM');
        await gone;
      }
      rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    },
  };
}

function tabOver(socket: WebSocket): BareTab {
  const waiting = new Map<number, (answer: Evaluated) => void>();
  let id = 0;
  socket.on('message', (text) => {
    const { id: answered, result } = JSON.parse(String(text)) as { readonly id: number; readonly result: Evaluated };
    waiting.get(answered)?.(result);
    waiting.delete(answered);
  });
  return {
    async evaluate(expression) {
      id += 1;
      const params = { expression, awaitPromise: true, returnByValue: true };
      const answer = new Promise<Evaluated>((resolve) => waiting.set(id, resolve));
      socket.send(JSON.stringify({ id, method: 'Runtime.evaluate', params }));
      const { result, exceptionDetails } = await answer;
      if (exceptionDetails !== undefined) throw new Error(exceptionDetails.exception?.description ?? 'it threw');
      return result.value;
    },
  };
}

/** As it says on its standard error. */
async function debuggingOrigin(browser: ChildProcess): Promise<string> {
  let said = '';
  for await (const part of browser.stderr ?? []) {
    said += String(part);
    const [, host] = /ws:\/\/([^/\s]+)\//.exec(said) ?? [];
    if (host === undefined) continue;
    browser.stderr?.resume();
    return `http://${host}`;
  }
  throw new Error(`Chromium did not start: ${said}`);
}
