// The files that the console opens with, as its service worker keeps them.
import { beforeEach, describe, expect, it } from 'vitest';
import { openShell, type Shell, type ShellCache } from '../../web-demo/service-worker/shell.ts';

const ORIGIN = 'http://agent';

/** As much of a CacheStorage as is used. */
class FakeCaches {
  readonly stores = new Map<string, Map<string, Response>>();

  async open(name: string): Promise<unknown> {
    const store = this.stores.get(name) ?? new Map<string, Response>();
    this.stores.set(name, store);
    return {
      put: async (url: string, response: Response) => void store.set(url, response),
      match: async (url: string) => store.get(url)?.clone(),
    };
  }

  async match(url: string): Promise<Response | undefined> {
    for (const store of this.stores.values()) {
      const found = store.get(url);
      if (found !== undefined) return found.clone();
    }
    return undefined;
  }

  async keys(): Promise<string[]> {
    return [...this.stores.keys()];
  }

  async delete(name: string): Promise<boolean> {
    return this.stores.delete(name);
  }
}

let caches: FakeCaches;
/** What the server has; undefined: it does not answer. */
let server: Map<string, string> | undefined;
let fetched: string[];
beforeEach(() => {
  caches = new FakeCaches();
  server = new Map([
    ['/index.html', 'page 1'],
    ['/', 'page 1'],
    ['/assets/main-1.js', 'main 1'],
  ]);
  fetched = [];
});

function shellOf(shell: Shell): ShellCache {
  return openShell({
    shell,
    caches: caches as unknown as CacheStorage,
    origin: ORIGIN,
    fetch: async ({ url }) => {
      const { pathname } = new URL(url);
      fetched.push(pathname);
      if (server === undefined) throw new TypeError('Failed to fetch');
      const body = server.get(pathname);
      return new Response(body ?? 'not there', { status: body === undefined ? 404 : 200 });
    },
  });
}
const FIRST: Shell = { version: '1', files: [{ path: '/assets/main-1.js' }, { path: '/index.html', revision: 'a' }] };

/** A request as a browser makes it; Node makes none of mode `navigate`. */
const asks = (path: string, { mode = 'cors', method = 'GET', origin = ORIGIN } = {}): Request =>
  ({ url: `${origin}${path}`, mode, method }) as unknown as Request;
const bodyOf = async (answer: Promise<Response> | undefined): Promise<string | undefined> => (await answer)?.text();

describe('the shell', () => {
  it('is answered from what is kept, without the server', async () => {
    const shell = shellOf(FIRST);
    await shell.install();
    server = undefined;
    fetched = [];
    expect(await bodyOf(shell.answer(asks('/assets/main-1.js')))).toBe('main 1');
    expect(fetched).toEqual([]);
    expect(await bodyOf(shell.answer(asks('/', { mode: 'navigate' })))).toBe('page 1');
  });

  it('gives the newest page while the server answers, and the kept one for an error of something between', async () => {
    const shell = shellOf(FIRST);
    await shell.install();
    server?.set('/', 'page 2');
    expect(await bodyOf(shell.answer(asks('/', { mode: 'navigate' })))).toBe('page 2');
    server?.delete('/');
    expect(await bodyOf(shell.answer(asks('/', { mode: 'navigate' })))).toBe('page 1');
  });

  it('leaves to the browser what is not its own', async () => {
    const shell = shellOf(FIRST);
    expect(shell.answer(asks('/robot/services'))).toBeUndefined();
    expect(shell.answer(asks('/install', { mode: 'navigate' }))).toBeUndefined();
    expect(shell.answer(asks('/assets/main-1.js', { method: 'POST' }))).toBeUndefined();
    expect(shell.answer(asks('/', { mode: 'navigate', origin: 'http://elsewhere' }))).toBeUndefined();
  });

  it('is whole or not there: a file that cannot be fetched fails the installation', async () => {
    server?.delete('/assets/main-1.js');
    await expect(shellOf(FIRST).install()).rejects.toThrow('/assets/main-1.js could not be fetched: 404');
  });

  it('of a newer build takes what did not change from the older, and removes the rest', async () => {
    await shellOf(FIRST).install();
    await caches.open('another app');
    server?.set('/index.html', 'page 2').set('/assets/more-2.js', 'more 2');
    fetched = [];
    const next = shellOf({
      version: '2',
      files: [{ path: '/assets/main-1.js' }, { path: '/assets/more-2.js' }, { path: '/index.html', revision: 'b' }],
    });
    await next.install();
    expect(fetched.sort()).toEqual(['/assets/more-2.js', '/index.html']);
    await next.removeOthers();
    expect(await caches.keys()).toEqual(['another app', 'qiway-console 2']);
    expect([next.has('/assets/more-2.js'), next.has('/assets/less.js')]).toEqual([true, false]);
  });
});
