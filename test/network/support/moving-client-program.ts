// Clients on a host that looks for a robot that moves: what they see of the link, and how long calls take. Each question
// names the client that it is for.
import type { ClientSession } from '@qiway/protocol/session/client-session';
import { connect, type Robot } from '@qiway/sdk';
import type { InternalConnectOptions } from '../../../sdk/connect.ts';
import { pageDial } from '../../../sdk/dial/page-dial.ts';
import { answerQuestions } from '../../hostile/questions.ts';

/** How the link was, each time it changed. */
export interface LinkState {
  readonly state: string;
  readonly address: string | undefined;
  readonly reason: string | undefined;
  readonly hasResumed: boolean;
}

interface Opened {
  readonly robot: Robot<Record<string, Record<string, (...args: unknown[]) => Promise<unknown>>>>;
  readonly session: ClientSession;
  readonly states: LinkState[];
  readonly services: Map<string, Echo>;
}

interface Target {
  readonly client: string;
  readonly service: string;
}

const clients = new Map<string, Opened>();
/** Between calls that are made one after the other. */
const BETWEEN_MS = 10;

function client(name: string): Opened {
  const found = clients.get(name);
  if (found === undefined) throw new Error(`no client ${name}`);
  return found;
}

function stateOf({ sessionState, link, reason, hasResumed }: ClientSession): LinkState {
  return { state: sessionState, address: link?.address, reason: reason?.code, hasResumed };
}

async function open(url: string): Promise<Opened> {
  let session: ClientSession | undefined;
  const options: InternalConnectOptions = {
    timeoutMs: 30_000,
    dial: async (request) => {
      session = (await pageDial(request)) as ClientSession;
      return session;
    },
  };
  const robot: Opened['robot'] = await connect(url, options);
  const opened = session as unknown as ClientSession;
  const states = [stateOf(opened)];
  opened.listenSession({ changed: () => states.push(stateOf(opened)) });
  return { robot, session: opened, states, services: new Map() };
}

type Echo = Record<string, (value: number) => Promise<unknown>>;

/** Asked for once: while there is no link, calls are refused, and questions for services wait. */
async function serviceOf({ robot, services }: Opened, name: string): Promise<Echo> {
  const object = services.get(name) ?? ((await robot.service(name)) as unknown as Echo);
  services.set(name, object);
  return object;
}

async function echo(opened: Opened, service: string): Promise<unknown> {
  return (await serviceOf(opened, service))['echoInt32']?.(5);
}

/** The longest pause between answers while calls are made one after the other; until `stop`. */
let watching: { isOver: boolean; readonly longest: Promise<number> } | undefined;

async function watch({ client: name, service }: Target, current: { isOver: boolean }): Promise<number> {
  const object = await serviceOf(client(name), service);
  let longestMs = 0;
  while (!current.isOver) {
    const beganMs = performance.now();
    await object['echoInt32']?.(1);
    longestMs = Math.max(longestMs, performance.now() - beganMs);
    await new Promise((resolve) => setTimeout(resolve, BETWEEN_MS));
  }
  return longestMs;
}

answerQuestions({
  open: async ({ as, url }: { readonly as: string; readonly url: string }) => {
    clients.set(as, await open(url));
  },
  close: (name: string) => client(name).robot.close(),
  echo: ({ client: name, service }: Target) => echo(client(name), service),
  states: (name: string) => client(name).states,
  /** Resolves once the link is so. */
  linkIs: ({ client: name, ...wanted }: { readonly client: string } & Partial<LinkState>) =>
    new Promise<LinkState>((resolve) => {
      const { session } = client(name);
      const look = (): void => {
        const now = stateOf(session);
        if (Object.entries(wanted).every(([key, value]) => now[key as keyof LinkState] === value)) resolve(now);
      };
      session.listenSession({ changed: look, rttMeasured: look });
      look();
    }),
  /** Milliseconds from now to the first call that is answered; calls that are refused meanwhile are made again. */
  answeredIn: async ({ client: name, service }: Target) => {
    const object = await serviceOf(client(name), service);
    const beganMs = performance.now();
    for (;;) {
      try {
        await object['echoInt32']?.(7);
        return performance.now() - beganMs;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, BETWEEN_MS));
      }
    }
  },
  /** Milliseconds of a dial with its handshake, and of one call: less is not possible after a change. */
  floor: async ({ url, service }: { readonly url: string; readonly service: string }) => {
    const beganMs = performance.now();
    const opened = await open(url);
    const dialMs = performance.now() - beganMs;
    await echo(opened, service);
    const callBeganMs = performance.now();
    await echo(opened, service);
    const roundTripMs = performance.now() - callBeganMs;
    await opened.robot.close();
    return { dialMs, roundTripMs };
  },
  watch: (target: Target) => {
    const current = { isOver: false };
    const longest = watch(target, current);
    // Told with `stop`.
    longest.catch(() => {});
    watching = Object.assign(current, { longest });
  },
  stop: () => {
    if (watching === undefined) throw new Error('nothing is watched');
    watching.isOver = true;
    return watching.longest;
  },
});
