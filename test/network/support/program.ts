// A program of this folder in a network namespace, asked over the channel of its fork; it ends with the test.
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { terminalEnvironment } from '../../support/run-program.ts';

export interface Program {
  readonly pid: number;
  /** Rejects with the sentence of the error that the program met. */
  ask<T = unknown>(question: string, detail?: unknown): Promise<T>;
  /** Resolves once it has ended; SIGKILL unless told otherwise. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Everything it said. */
  output(): string;
}

export interface ProgramOptions {
  readonly namespace: string;
  readonly host: string;
  readonly file: string;
  readonly spec: unknown;
}

interface Answer {
  readonly id: number;
  readonly answer?: unknown;
  readonly failure?: string;
}

/** For a start or an answer, ms: some wait for what TCP takes half a minute to notice. */
const PATIENCE_MS = 180_000;

/** Where libqi would keep the machine's id, one for all namespaces: with none there, each has that of its own /etc. */
const NO_FOLDER = '/nonexistent';

/** Resolves once the program answers questions. */
export async function startProgram({ namespace, host, file, spec }: ProgramOptions): Promise<Program> {
  const script = fileURLToPath(new URL(file, import.meta.url));
  const child: ChildProcess = spawn(
    'ip',
    ['netns', 'exec', namespace, process.execPath, script, ...argumentsOf(spec)],
    { env: terminalEnvironment({ QI_WRITABLE_PATH: NO_FOLDER }), stdio: ['ignore', 'pipe', 'pipe', 'ipc'] },
  );
  let output = '';
  const take = (text: string): void => {
    output += text;
  };
  child.stdout?.setEncoding('utf8').on('data', take);
  child.stderr?.setEncoding('utf8').on('data', take);
  const waiting = new Map<number, (answer: Answer) => void>();
  child.on('message', (answer: Answer) => waiting.get(answer.id)?.(answer));
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const answered = (id: number, question: string): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const settle = (run: () => void): void => {
        clearTimeout(timer);
        waiting.delete(id);
        run();
      };
      const fail = (what: string): void =>
        settle(() => reject(new Error(`${file} on ${host} ${what} "${question}":\n${output.slice(-4000)}`)));
      const timer = setTimeout(() => fail(`gave no answer in ${PATIENCE_MS} ms to`), PATIENCE_MS);
      waiting.set(id, ({ answer, failure }) =>
        settle(() => (failure === undefined ? resolve(answer) : reject(new Error(failure)))),
      );
      void ended.then(() => waiting.has(id) && fail('ended before it answered'));
    });
  let lastId = 0;
  await answered(lastId, 'start');
  return {
    pid: child.pid ?? 0,
    output: () => output,
    ask: async <T>(question: string, detail?: unknown) => {
      lastId += 1;
      const answer = answered(lastId, question);
      child.send({ id: lastId, name: question, detail });
      return (await answer) as T;
    },
    kill: async (signal = 'SIGKILL') => {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      await ended;
    },
  };
}

function argumentsOf(spec: unknown): string[] {
  return Array.isArray(spec) ? spec.map(String) : [JSON.stringify(spec)];
}
