// A Chromium with a page that the gateway's service worker controls, an agent with the test robot, and the door as a client of the
// conformance suite has it.
import type { Browser, BrowserContext, Page } from 'playwright';
import { type CuttingProxy, startCuttingProxy } from '../cuts/cutting-proxy.ts';
import type { ClientRequest, DoorClient } from '../http-door/conformance.ts';
import { launchChromium } from './chromium.ts';
import { type DoorAgent, openDoorAgent } from './door-agent.ts';
import type { pageDoor } from './gateway-page.ts';
import { type GatewaySite, openGatewaySite } from './gateway-site.ts';

declare global {
  var door: typeof pageDoor;
}

export interface GatewayPage extends DoorAgent {
  readonly site: GatewaySite;
  readonly browser: Browser;
  readonly context: BrowserContext;
  readonly page: Page;
  readonly client: DoorClient;
  /** Stands between page and agent; calm until somebody cuts. */
  readonly proxy: CuttingProxy;
  /** Another page of the site. */
  openPage(): Promise<Page>;
  /** The page makes its link, through the proxy. */
  own(page?: Page): Promise<void>;
  /** As the browser does it to a worker that has been idle. */
  stopWorkers(): Promise<void>;
}

export async function openGatewayPage(script = '/qiway-sw.js'): Promise<GatewayPage> {
  const site = await openGatewaySite();
  const agent = await openDoorAgent({ origins: [site.origin] });
  const proxy = await startCuttingProxy(Number(new URL(agent.agent.origin).port), 1);
  proxy.calm();
  const browser = await launchChromium();
  const context = await browser.newContext();
  const openPage = async (): Promise<Page> => {
    const page = await context.newPage();
    await page.goto(`${site.origin}/`);
    await page.waitForFunction(() => document.title === 'ready');
    return page;
  };
  const page = await openPage();
  const registered = await page.evaluate((url) => globalThis.door.register(url), script);
  if (registered !== 'controlled') throw new Error(registered);
  const close = async (): Promise<void> => {
    await browser.close();
    await proxy.close();
    await agent.close();
    await site.close();
  };
  return {
    ...agent,
    site,
    browser,
    context,
    page,
    proxy,
    client: clientOf(page, { site, robot: agent.robot, close }),
    openPage,
    async own(owner = page) {
      const url = new URL(agent.agent.url);
      url.port = String(proxy.port);
      await owner.evaluate((text) => globalThis.door.own(text), url.href);
    },
    async stopWorkers() {
      const session = await context.newCDPSession(page);
      await session.send('ServiceWorker.enable');
      await session.send('ServiceWorker.stopAllWorkers');
      await session.detach();
    },
    close,
  };
}

function clientOf(
  page: Page,
  { site, robot, close }: { readonly site: GatewaySite } & Pick<DoorClient, 'robot' | 'close'>,
): DoorClient {
  let bodies = 0;
  const initOf = ({ body, ...rest }: ClientRequest = {}): ClientRequest & { bodyPath?: string; text?: string } => {
    if (body === undefined) return rest;
    if (typeof body === 'string') return { ...rest, text: body };
    const bodyPath = `/bodies/${++bodies}`;
    site.put(bodyPath, body);
    return { ...rest, bodyPath };
  };
  return {
    robot,
    close,
    async fetch(path, request) {
      const answer = await page.evaluate(([at, init]) => globalThis.door.ask(at, init), [
        path,
        initOf(request),
      ] as const);
      return { ...answer, body: Buffer.from(answer.body, 'base64') };
    },
    digest: (path, request) =>
      page.evaluate(([at, init]) => globalThis.door.digest(at, init), [path, initOf(request)] as const),
    async stream(path, request) {
      const { id, status, headers } = await page.evaluate(([at, init]) => globalThis.door.open(at, init), [
        path,
        initOf(request),
      ] as const);
      return {
        status,
        headers,
        async next() {
          const piece = await page.evaluate((each) => globalThis.door.next(each), id);
          return piece === null ? undefined : Buffer.from(piece, 'base64');
        },
        cancel: () => page.evaluate((each) => globalThis.door.cancel(each), id),
      };
    },
    async abort(path, request, when) {
      const id = await page.evaluate(([at, init]) => globalThis.door.begin(at, init), [path, initOf(request)] as const);
      await when;
      await page.evaluate((each) => globalThis.door.abort(each), id);
    },
  };
}
