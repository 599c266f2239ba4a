// The whole product as a person has it: agent and simulated robot as processes, the built console, a Chromium.
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Page } from 'playwright';
import { checkout, makeScratchFolder } from './checkout-copy.ts';
import { launchChromium } from './chromium.ts';
import { type Program, startProgram } from './program.ts';
import { succeed } from './run-program.ts';
import { type SharedFolder, sharedFolder } from './shared-folder.ts';

export interface ConsoleSite {
  /** With the token in its fragment. */
  readonly url: string;
  readonly origin: string;
  /** Of the service directory. */
  readonly busUrl: string;
  readonly browser: Browser;
  readonly agent: Program;
  readonly robot: Program;
  /** Starts an agent at the same address, of the same identity and with the same token, in place of the one that ended. */
  startAgent(): Promise<void>;
  /** Starts a robot in place of the one that ended. */
  startRobot(): Promise<void>;
  /** A page of its own; what it says on the browser's console as an error is kept. */
  open(options?: OpenOptions): Promise<ConsolePage>;
  close(): Promise<void>;
}

export interface OpenOptions extends BrowserContextOptions {
  /** In place of the site's fragment, without `#`. */
  readonly fragment?: string;
}

export interface ConsolePage {
  readonly page: Page;
  readonly errors: readonly string[];
  close(): Promise<void>;
}

const DESKTOP = { width: 1366, height: 820 };

/** The console as it is built, once for all tests of a run. */
export function builtConsole(): Promise<SharedFolder> {
  const vite = join(checkout, 'node_modules/vite/bin/vite.js');
  return sharedFolder('console', async (folder) => {
    await succeed(process.execPath, [vite, 'build', '--outDir', folder, '--logLevel', 'warn'], { cwd: checkout });
  });
}

/** The built console in a folder of its own, which may be changed. */
export async function buildConsole(): Promise<SharedFolder> {
  const folder = makeScratchFolder('console');
  const built = await builtConsole();
  cpSync(built.folder, folder, { recursive: true });
  built.remove();
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** For what an agent keeps from one start to the next. */
function makeStateFolder(): { readonly folder: string; remove(): void } {
  const folder = makeScratchFolder('state');
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

export interface ConsoleSiteOptions {
  /** Whose the bus is: the agent's, as with `npm start`, or the robot's, as NAOqi has it. */
  readonly directory?: 'agent' | 'robot';
  /** The name under which pages are opened, in place of the address; the browser is told where it leads. */
  readonly name?: string;
  /** Beside those that are always given. */
  readonly agentOptions?: readonly string[];
  readonly browserArgs?: readonly string[];
  /** What the agent keeps, in a folder of the test's. Default: one of the site's. */
  readonly state?: string;
}

export async function openConsoleSite(options: ConsoleSiteOptions = {}): Promise<ConsoleSite> {
  const { directory = 'agent', name, agentOptions = [], browserArgs = [], state: folder } = options;
  const built = await builtConsole();
  const state = folder === undefined ? makeStateFolder() : { folder, remove: () => {} };
  const isRobots = directory === 'robot';
  const startRobot = async (bus: string): Promise<Program> => {
    const program = startProgram(join(checkout, 'simulated-robot/main.ts'), [isRobots ? '--bus-listen' : '--bus', bus]);
    await program.said(/services on tcp:/);
    return program;
  };
  const first = isRobots ? await startRobot('tcp://127.0.0.1:0') : undefined;
  const agentArgs = (listen: string, bus: string): string[] => [
    '--listen',
    listen,
    isRobots ? '--bus' : '--bus-listen',
    bus,
    '--web',
    built.folder,
    '--state',
    state.folder,
    ...(name === undefined ? [] : ['--allow-host', name]),
    ...agentOptions,
  ];
  const agentPath = join(checkout, 'robot-agent/main.ts');
  const known = first === undefined ? undefined : (await first.said(/services on (tcp:\S+)/))[1];
  let agent = startProgram(agentPath, agentArgs('127.0.0.1:0', known ?? 'tcp://127.0.0.1:0'));
  const bus = known ?? (await agent.said(/is the service directory.*url=(tcp:\/\/\S+)/))[1] ?? '';
  const [url] = await agent.said(/^https?:\/\/\S+#token=\S+$/);
  const { origin, hash, host, hostname } = new URL(url);
  let robot = first ?? (await startRobot(bus));
  const mapped = name === undefined ? [] : [`--host-resolver-rules=MAP ${name} 127.0.0.1`];
  const browser = await launchChromium([...mapped, ...browserArgs]);
  const pageOrigin = name === undefined ? origin : origin.replace(hostname, name);

  const open = async ({ fragment = hash.slice(1), ...options }: OpenOptions = {}): Promise<ConsolePage> => {
    const context = await browser.newContext({ viewport: DESKTOP, reducedMotion: 'reduce', ...options });
    const page = await context.newPage();
    const errors: string[] = [];
    page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
    page.on('pageerror', (error) => errors.push(String(error)));
    await page.goto(`${pageOrigin}/#${fragment}`);
    const close = async (): Promise<void> => {
      // As a person closes it: the page is told, and tells its worker.
      await page.close();
      await context.close();
    };
    return { page, errors, close };
  };
  const close = async (): Promise<void> => {
    await browser.close();
    await robot.end();
    await agent.end();
    built.remove();
    state.remove();
  };
  return {
    url,
    origin,
    busUrl: bus,
    browser,
    get agent() {
      return agent;
    },
    get robot() {
      return robot;
    },
    async startAgent() {
      agent = startProgram(agentPath, agentArgs(host, bus));
      await agent.said(/^https?:\/\/\S+#token=\S+$/);
    },
    async startRobot() {
      robot = await startRobot(bus);
    },
    open,
    close,
  };
}
