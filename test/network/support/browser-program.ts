// A Chromium on a host of the network, and the site its pages are from, with the SDK: at an address that browsers count as of
// the internet, and at one of the local network. Answers what tests ask over the channel of its fork.
import { createHash, X509Certificate } from 'node:crypto';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import type { Browser, BrowserContext, Page } from 'playwright';
import { answerQuestions } from '../../hostile/questions.ts';
import { launchChromium } from '../../support/chromium.ts';
import { openSdkSite } from '../../support/sdk-page.ts';

export interface BrowserSpec {
  /** Of the site, PEM. */
  readonly cert: string;
  readonly key: string;
  /** The browser accepts these certificates as if an authority it knows had signed them, PEM. */
  readonly trusted: readonly string[];
}

/** A page of the site, in a browser profile of its own unless `like` names one whose profile it shares. */
export interface PageRequest {
  readonly name: string;
  readonly like?: string;
  readonly origin: string;
  /** What the user has said of the local network; without: asked, and in a browser without windows that is a no. */
  readonly localNetwork?: 'granted' | 'denied' | 'prompt';
}

export interface Evaluation {
  readonly name: string;
  /** The body of an async function of `qiway` and `argument`. */
  readonly body: string;
  readonly argument?: unknown;
}

const spec = JSON.parse(process.argv[2] ?? '{}') as BrowserSpec;
const pages = new Map<string, Page>();
const site = await openSdkSite();

const fromSite: RequestListener = (request, response) => {
  fetch(new URL(request.url ?? '/', site.url)).then(
    async (answer) => {
      response.setHeader('content-type', answer.headers.get('content-type') ?? 'text/html');
      response.end(Buffer.from(await answer.arrayBuffer()));
    },
    () => response.destroy(),
  );
};

function listen(server: Server): Promise<number> {
  return new Promise((resolve) => server.listen(0, '0.0.0.0', () => resolve((server.address() as AddressInfo).port)));
}

function keyHash(pem: string): string {
  const key = new X509Certificate(pem).publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(key).digest('base64');
}

const ports = { https: await listen(createServer(spec, fromSite)), http: await listen(createHttpServer(fromSite)) };
const browser: Browser = await launchChromium([
  `--ignore-certificate-errors-spki-list=${[spec.cert, ...spec.trusted].map(keyHash).join(',')}`,
]);

/** The names that count since Chromium 145; Playwright knows only the one before. They hold as long as the session does. */
async function allow(context: BrowserContext, page: Page, setting: string): Promise<void> {
  const session = await context.newCDPSession(page);
  const { targetInfo } = await session.send('Target.getTargetInfo');
  const { browserContextId } = targetInfo;
  const whole = await browser.newBrowserCDPSession();
  for (const name of ['local-network', 'loopback-network'])
    await whole.send('Browser.setPermission', {
      permission: { name },
      setting: setting as 'granted',
      ...(browserContextId !== undefined && { browserContextId }),
    });
}

answerQuestions({
  ports: () => ports,
  open: async ({ name, like, origin, localNetwork }: PageRequest) => {
    const context = pages.get(like ?? '')?.context() ?? (await browser.newContext());
    const page = await context.newPage();
    pages.set(name, page);
    await page.goto(`${origin}/`);
    if (localNetwork !== undefined) await allow(context, page, localNetwork);
    await page.waitForFunction(() => document.title === 'ready');
  },
  allow: async ({ name, localNetwork = 'granted' }: Pick<PageRequest, 'name' | 'localNetwork'>) => {
    const page = pages.get(name);
    if (page !== undefined) await allow(page.context(), page, localNetwork);
  },
  /** What it resolves to; of an error its code, message and data. */
  evaluate: ({ name, body, argument }: Evaluation) =>
    pages.get(name)?.evaluate(
      async ([code, given]) => {
        const run = new Function('qiway', 'argument', `return (async () => { ${code} })()`) as (
          ...args: readonly unknown[]
        ) => Promise<unknown>;
        try {
          return { value: await run((globalThis as { readonly qiway?: unknown }).qiway, given) };
        } catch (thrown) {
          const { code: errorCode, message, data } = thrown as { code?: string; message: string; data?: unknown };
          return { error: { code: errorCode, message, data } };
        }
      },
      [body, argument] as const,
    ),
  close: async (name: string) => {
    await pages.get(name)?.context().close();
    pages.delete(name);
  },
});
