// An empty page that has the SDK, as a bundler makes it, at an origin of its own: for what only a browser can show.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { BrowserContext, Page } from 'playwright';
import { rolldown } from 'rolldown';
import { checkout } from './checkout-copy.ts';

export interface SdkSite {
  /** The page has the SDK as `qiway`, and `document.title` is `ready` when it does. */
  readonly url: string;
  readonly origin: string;
  close(): Promise<void>;
}

const ENTRY = 'virtual:page';
const PAGE = `import * as qiway from '@qiway/sdk'; globalThis.qiway = qiway; document.title = 'ready';`;
const HTML = '<!doctype html><link rel="icon" href="data:,"><script type="module" src="/page.js"></script>';

export async function openSdkSite(): Promise<SdkSite> {
  const bundle = await rolldown({
    cwd: checkout,
    input: {
      page: ENTRY,
      worker: join(checkout, 'sdk/owner/worker.ts'),
      sw: join(checkout, 'sdk/gateway/ready-sw.ts'),
    },
    platform: 'browser',
    plugins: [
      {
        name: 'page',
        resolveId: (id) => (id === ENTRY ? id : id === '@qiway/sdk' ? join(checkout, 'sdk/index.ts') : null),
        load: (id) => (id === ENTRY ? PAGE : null),
        // As the published package has it.
        transform: (code, id) => (id.endsWith('start-worker.ts') ? code.replace('./worker.ts', './worker.js') : null),
      },
    ],
  });
  const { output } = await bundle.generate({ format: 'esm', entryFileNames: '[name].js' });
  await bundle.close();
  const files = new Map(output.map((file) => [`/${file.fileName}`, file.type === 'chunk' ? file.code : file.source]));
  const server = createServer((request, response) => {
    const code = files.get(request.url ?? '');
    response.setHeader('content-type', code === undefined ? 'text/html' : 'text/javascript');
    response.end(code ?? HTML);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: `${origin}/`,
    origin,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** A page of the site, with the SDK. */
export async function openSdkPage(context: BrowserContext, { url }: SdkSite): Promise<Page> {
  const page = await context.newPage();
  await page.goto(url);
  await isReady(page);
  return page;
}

/** Resolves once the page, opened or loaded again, has its script. */
export async function isReady(page: Page): Promise<void> {
  await page.waitForFunction(() => document.title === 'ready');
}
