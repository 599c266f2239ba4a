// Runs a program to its end and gives what it said; for tests of tooling and launchers. Tooling of the tests.

import { spawn } from 'node:child_process';
import { delimiter, dirname } from 'node:path';

/** As NODE_OPTIONS: Node 20, as far as a program can tell. */
export const asNode20: string =
  "--import data:text/javascript,Object.defineProperty(process,'versions',{value:{...process.versions,node:'20.9.0'}})";

/** As arguments of Node: the program is asked to end, as by SIGTERM, as soon as it listens to `signal`. */
export function endingAt(signal: 'SIGINT' | 'SIGHUP'): readonly string[] {
  const script = `const {on}=process;process.on=(...of)=>{on.apply(process,of);if(of[0]==='${signal}')queueMicrotask(()=>process.emit('SIGTERM','SIGTERM'));return process}`;
  return ['--import', `data:text/javascript,${encodeURIComponent(script)}`];
}

export interface ProgramOutcome {
  /** Exit code, or the name of the signal that ended it. */
  readonly code: number | string;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** The environment of a terminal: this Node first on PATH, none of the variables that npm gives its scripts. */
export function terminalEnvironment(extra: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(npm_|VITEST|NODE_ENV$|NODE_OPTIONS$)/i.test(name));
  const path = [dirname(process.execPath), process.env['PATH']].join(delimiter);
  return { ...Object.fromEntries(kept), PATH: path, ...extra };
}

/** Runs `command`; rejects only when it cannot be started. */
export function runProgram(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<ProgramOutcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      env: terminalEnvironment(options.env),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code: code ?? signal ?? 'unknown', stdout, stderr }));
  });
}

/** What `command` said on its standard output. @throws Error when it fails */
export async function succeed(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await runProgram(command, args, options);
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} failed:\n${stdout}\n${stderr}`);
  return stdout;
}
