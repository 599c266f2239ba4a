// The files that the console opens with, kept whole: one cache for each build. Layer: worker; knows a CacheStorage and a
// fetch, nothing of events. Robots are never asked through it.

/** A file of the build. */
export interface ShellFile {
  readonly path: string;
  /** Of its content. Files with a hash in their name need none. */
  readonly revision?: string;
}

export interface Shell {
  /** Changes with any file. */
  readonly version: string;
  readonly files: readonly ShellFile[];
}

export interface ShellOptions {
  readonly shell: Shell;
  readonly caches: CacheStorage;
  readonly fetch: (request: Request) => Promise<Response>;
  readonly origin: string;
}

export interface ShellCache {
  /** Fetches what is not there yet; all or nothing. */
  install(): Promise<void>;
  /** Removes what other builds left. */
  removeOthers(): Promise<void>;
  /** Undefined: not the shell's; the browser goes on as without a worker. */
  answer(request: Request): Promise<Response> | undefined;
  has(path: string): boolean;
}

const PREFIX = 'qiway-console ';
/** A page that is asked for waits no longer for a network that does not answer. */
const NETWORK_MS = 3000;
/** Paths that open the console. Others at this origin are the agent's. */
const PAGES: readonly string[] = ['/', '/index.html'];
const PAGE = '/index.html';

export function openShell({ shell, caches, fetch, origin }: ShellOptions): ShellCache {
  const name = `${PREFIX}${shell.version}`;
  const paths = new Set(shell.files.map(({ path }) => path));
  const urlOf = (path: string): string => new URL(path, origin).href;
  const opened = (): Promise<Cache> => caches.open(name);

  async function keep(cache: Cache, { path, revision }: ShellFile): Promise<void> {
    const url = urlOf(path);
    // What a name with a hash in it means never changes: an older build's is the same.
    const known = revision === undefined ? await caches.match(url) : undefined;
    const response = known ?? (await fetch(new Request(url, { cache: 'reload', credentials: 'same-origin' })));
    if (!response.ok) throw new Error(`${path} could not be fetched: ${response.status}`);
    await cache.put(url, response);
  }

  /** From the network while it answers: that is the newest. */
  async function page(request: Request): Promise<Response> {
    const kept = async (): Promise<Response | undefined> => (await opened()).match(urlOf(PAGE));
    try {
      const response = await fetch(new Request(request.url, { signal: AbortSignal.timeout(NETWORK_MS) }));
      // A proxy's error page is no console.
      if (response.ok) return response;
      return (await kept()) ?? response;
    } catch (error) {
      const response = await kept();
      if (response === undefined) throw error;
      return response;
    }
  }

  return {
    has: (path) => paths.has(path),
    async install() {
      const cache = await opened();
      await Promise.all(shell.files.map((file) => keep(cache, file)));
    },
    async removeOthers() {
      const names = await caches.keys();
      await Promise.all(
        names.filter((other) => other.startsWith(PREFIX) && other !== name).map((other) => caches.delete(other)),
      );
    },
    answer(request) {
      const { origin: asked, pathname } = new URL(request.url);
      if (request.method !== 'GET' || asked !== origin) return undefined;
      if (request.mode === 'navigate') return PAGES.includes(pathname) ? page(request) : undefined;
      if (!paths.has(pathname)) return undefined;
      return opened()
        .then((cache) => cache.match(urlOf(pathname)))
        .then((response) => response ?? fetch(request));
    },
  };
}
