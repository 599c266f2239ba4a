// A plain server of files, as an app's or as a CDN. A fixture, no tests.
import { createReadStream, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';

export interface FileServer {
  readonly origin: string;
  /** Paths that were asked for and are not there. */
  readonly missing: readonly string[];
  close(): Promise<void>;
}

const TYPES: Readonly<Record<string, string>> = { '.html': 'text/html', '.js': 'text/javascript' };

export interface ServedFiles {
  readonly folder: string;
  /** By path, before those of the folder. */
  readonly pages?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** On loopback, at a port of the kernel's choice. */
export async function serveFiles({ folder, pages = {}, headers = {} }: ServedFiles): Promise<FileServer> {
  const missing: string[] = [];
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const page = pages[pathname];
    const file = join(folder, normalize(pathname));
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    response.setHeader('content-type', TYPES[extname(page === undefined ? pathname : '.html')] ?? 'text/html');
    if (page !== undefined) response.end(page);
    else if (statSync(file, { throwIfNoEntry: false })?.isFile() === true) createReadStream(file).pipe(response);
    else {
      missing.push(pathname);
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const close = (): Promise<void> =>
    new Promise((done) => {
      server.close(() => done());
      server.closeAllConnections();
    });
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, missing, close };
}
