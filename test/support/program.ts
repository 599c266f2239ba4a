// A program that runs while a test lasts: started, waited for by what it says, ended by its id.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { terminalEnvironment } from './run-program.ts';

export interface Program {
  readonly pid: number;
  /** Resolves with the first line, of either stream, that matches; also when it was said before. */
  said(pattern: RegExp): Promise<RegExpMatchArray>;
  /** Everything said so far. */
  output(): string;
  /** Resolves once it has ended. */
  end(signal?: NodeJS.Signals): Promise<void>;
}

/** A start takes one or two seconds, also on a busy machine far less than this. */
const PATIENCE_MS = 30_000;

/** Starts a TypeScript program of this checkout with this Node. */
export function startProgram(path: string, args: readonly string[]): Program {
  const child = spawn(process.execPath, [path, ...args], {
    env: terminalEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const watchers = new Set<() => void>();
  const take = (text: string): void => {
    output += text;
    for (const watcher of [...watchers]) watcher();
  };
  child.stdout.setEncoding('utf8').on('data', take);
  child.stderr.setEncoding('utf8').on('data', take);
  // A test run that is broken off leaves nothing behind.
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  const ended = once(child, 'close').then(() => {
    process.off('exit', kill);
    take('');
  });
  const isEnded = (): boolean => child.exitCode !== null || child.signalCode !== null;
  return {
    pid: child.pid ?? 0,
    output: () => output,
    said: (pattern) =>
      new Promise((resolve, reject) => {
        const settle = (match: RegExpMatchArray | undefined, what: string): void => {
          watchers.delete(look);
          clearTimeout(timer);
          if (match === undefined) reject(new Error(`${path} ${what} without saying ${pattern}:\n${output}`));
          else resolve(match);
        };
        const look = (): void => {
          const match = output
            .split('\n')
            .map((line) => line.match(pattern))
            .find((each) => each !== null);
          if (match !== undefined && match !== null) settle(match, '');
          else if (isEnded()) settle(undefined, 'ended');
        };
        const timer = setTimeout(() => settle(undefined, `ran ${PATIENCE_MS} ms`), PATIENCE_MS);
        watchers.add(look);
        look();
      }),
    async end(signal = 'SIGTERM') {
      if (!isEnded()) child.kill(signal);
      await ended;
    },
  };
}
