// The processes of a hostile test: an agent, and the programs of the robot. Asked over the channel of the fork.
import { type ChildProcess, fork } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { AgentConfig } from '@qiway/robot-agent';
import { terminalEnvironment } from '../support/run-program.ts';
import type { TargetCounts } from './target-service.ts';

export interface Child {
  ask(name: string, detail?: unknown): Promise<unknown>;
  /** Resolves with the first line of its log, past or to come, that holds `part`; each line is given once. */
  said(part: string): Promise<string>;
  readonly isAlive: boolean;
  readonly pid: number;
  /** All it wrote, for the message of a failing test. */
  readonly log: readonly string[];
  /** Resolves once it has ended. */
  end(): Promise<void>;
}

/** For an answer, or a line of the log. */
const PATIENCE_MS = 15_000;

async function startChild(file: string, ...args: string[]): Promise<Child> {
  const child: ChildProcess = fork(fileURLToPath(new URL(file, import.meta.url)), args, {
    execArgv: ['--expose-gc'],
    env: terminalEnvironment(),
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  const lines: string[] = [];
  const unread: string[] = [];
  const watchers = new Set<() => void>();
  const look = (): void => {
    for (const each of [...watchers]) each();
  };
  if (child.stderr !== null)
    createInterface(child.stderr).on('line', (line) => {
      lines.push(line);
      unread.push(line);
      look();
    });
  const answers = new Map<number, (message: { readonly answer?: unknown; readonly failure?: string }) => void>();
  child.on('message', (message: { readonly id: number; readonly answer?: unknown; readonly failure?: string }) => {
    answers.get(message.id)?.(message);
    answers.delete(message.id);
  });
  const isAlive = (): boolean => child.exitCode === null && child.signalCode === null;
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  exited.then(look);
  /** `poll` answers once; undefined: not yet. */
  const wait = <T>(what: string, poll: () => T | undefined): Promise<T> =>
    new Promise((resolve, reject) => {
      const attempt = (): void => {
        const found = poll();
        if (found === undefined && isAlive()) return;
        clearTimeout(timer);
        watchers.delete(attempt);
        if (found !== undefined) resolve(found);
        else reject(new Error(`${file} ended before ${what}:\n${lines.slice(-30).join('\n')}`));
      };
      const timer = setTimeout(() => {
        watchers.delete(attempt);
        reject(new Error(`${file}: no ${what} within ${PATIENCE_MS} ms:\n${lines.slice(-30).join('\n')}`));
      }, PATIENCE_MS);
      watchers.add(attempt);
      attempt();
    });
  const answer = async (id: number, name: string): Promise<unknown> => {
    let given: { readonly answer?: unknown; readonly failure?: string } | undefined;
    answers.set(id, (message) => {
      given = message;
      look();
    });
    const { answer: result, failure } = await wait(`answer to ${name}`, () => given);
    if (failure !== undefined) throw new Error(failure);
    return result;
  };
  let nextId = 1;
  await answer(0, 'start');
  return {
    ask: (name, detail) => {
      const id = nextId++;
      child.send({ id, name, detail });
      return answer(id, name);
    },
    said: (part) =>
      wait(`line with "${part}"`, () => {
        const index = unread.findIndex((line) => line.includes(part));
        return index < 0 ? undefined : unread.splice(index, 1)[0];
      }),
    pid: child.pid ?? 0,
    get isAlive() {
      return isAlive();
    },
    log: lines,
    end: async () => {
      if (isAlive()) child.kill('SIGKILL');
      await exited;
    },
  };
}

export interface AgentProcess extends Child {
  readonly url: string;
  readonly origin: string;
  readonly busUrl: string;
  /** Doors for qi programs. */
  readonly qiUrls: readonly string[];
  /** One value of its metrics, without labels. */
  metric(name: string): Promise<number>;
  /** Bytes in use after a collection. */
  memory(): Promise<number>;
}

export const TOKEN = 'right-token';
export const BEARER: { readonly authorization: string } = { authorization: `Bearer ${TOKEN}` };

/** @param bus the directory to join; without one the agent is the directory */
export async function startAgent(bus = '', changes: Partial<AgentConfig> = {}): Promise<AgentProcess> {
  const child = await startChild('./agent-process.ts', bus, JSON.stringify(changes));
  const { url, origin, busUrl, qiUrls } = (await child.ask('where')) as Pick<
    AgentProcess,
    'url' | 'origin' | 'busUrl' | 'qiUrls'
  >;
  const metric = async (name: string): Promise<number> => {
    const text = await (await fetch(`${origin}/metrics`, { headers: BEARER })).text();
    const value = new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1];
    if (value === undefined) throw new Error(`no metric ${name}`);
    return Number(value);
  };
  const memory = async (): Promise<number> => (await child.ask('memory')) as number;
  return Object.assign(child, { url, origin, busUrl, qiUrls, metric, memory });
}

export interface ServiceProcess extends Child {
  counts(): Promise<TargetCounts>;
}

export async function startService(busUrl: string): Promise<ServiceProcess> {
  const child = await startChild('./service-process.ts', busUrl);
  return Object.assign(child, { counts: async () => (await child.ask('counts')) as TargetCounts });
}

export interface RobotProcess extends Child {
  readonly url: string;
}

/** @param at the directory's URL; without one a port is chosen */
export async function startRobot(at?: string): Promise<RobotProcess> {
  const child = await startChild('./robot-process.ts', ...(at === undefined ? [] : [at]));
  const { url } = (await child.ask('where')) as { url: string };
  return Object.assign(child, { url });
}
