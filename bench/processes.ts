// Starts the measured processes, asks them for CPU time and memory over IPC, ends them.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Usage } from './probe.ts';

export interface Process {
  /** What it said where it can be reached. */
  readonly url: string;
  usage(): Promise<Usage>;
  /** After a garbage collection. */
  memory(): Promise<Usage>;
  /** Sends one message, resolves to the next one that is not about usage. */
  ask(message: unknown): Promise<unknown>;
  /** SIGSTOP freezes it as it is, SIGKILL ends it without a word. */
  signal(name: 'SIGSTOP' | 'SIGKILL'): void;
  /** Resolves when it is gone. */
  stop(): Promise<void>;
}

export interface StartOptions {
  /** A program that is not ours to change says its URL on standard output; the first group of this is taken. */
  readonly line?: RegExp;
  readonly nodeArguments?: readonly string[];
}

const probe = new URL('./probe.ts', import.meta.url).href;
/** Longest wait for a process to be ready. */
const READY_MS = 20_000;

export function pathOf(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url));
}

/** @throws Error when the process ends, or says nothing, before it is ready */
export async function startProcess(
  file: string,
  args: readonly string[] = [],
  options: StartOptions = {},
): Promise<Process> {
  const node = [
    '--expose-gc',
    '--disable-warning=ExperimentalWarning',
    '--import',
    probe,
    ...(options.nodeArguments ?? []),
  ];
  const child = spawn(process.execPath, [...node, pathOf(file), ...args], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  const url = await readyUrl(child, file, options.line);
  const waiting: ((message: unknown) => void)[] = [];
  const usages: ((usage: Usage) => void)[] = [];
  child.on('message', (message) => {
    if (isRecord(message) && 'usage' in message) usages.shift()?.(message['usage'] as Usage);
    else waiting.shift()?.(message);
  });
  const askUsage = (what: 'usage' | 'memory'): Promise<Usage> =>
    new Promise((resolve) => {
      usages.push(resolve);
      child.send(what);
    });
  return {
    url,
    usage: () => askUsage('usage'),
    memory: () => askUsage('memory'),
    ask: (message) =>
      new Promise((resolve, reject) => {
        const died = (): void => reject(new Error(`${file} ended while it was asked`));
        child.once('exit', died);
        waiting.push((answer) => {
          child.off('exit', died);
          resolve(answer);
        });
        child.send(message as object);
      }),
    signal: (name) => {
      child.kill(name);
    },
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill('SIGTERM');
      await gone;
    },
  };
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function readyUrl(child: ChildProcess, file: string, line: RegExp | undefined): Promise<string> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => fail('was not ready in time'), READY_MS);
    const fail = (why: string): void => {
      child.kill('SIGTERM');
      reject(new Error(`${file} ${why}`));
    };
    const ended = (): void => fail('ended before it was ready');
    const settle = (url: string): void => {
      clearTimeout(timer);
      child.off('exit', ended);
      child.stdout?.removeAllListeners('data').resume();
      resolve(url);
    };
    child.once('exit', ended);
    if (line === undefined) {
      child.once('message', (message) =>
        isRecord(message) && typeof message['ready'] === 'string'
          ? settle(message['ready'])
          : fail('said something else than its URL'),
      );
      child.stdout?.resume();
      return;
    }
    let said = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      const url = line.exec(said)?.[1];
      if (url !== undefined) settle(url);
    });
  });
}
