// `npm start`: what it prints, what it refuses, and that nothing is left of it. Processes.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { QiwayError } from '@qiway/protocol/errors';
import { systemClock } from '@qiway/protocol/transport/system-clock';
import { createLogger } from '@qiway/robot-agent';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openJournal } from '../../robot-agent/journal/journal.ts';
import { startFailure, startOptions } from '../../scripts/start-options.ts';
import { tokenOf } from '../support/agent-config.ts';
import { checkout, makeScratchFolder } from '../support/checkout-copy.ts';
import { endingAt, runProgram, terminalEnvironment } from '../support/run-program.ts';

const start = join(checkout, 'scripts/start.ts');

let web: string;
const children: ChildProcess[] = [];

beforeEach(() => {
  web = makeScratchFolder('start');
  mkdirSync(web, { recursive: true });
  writeFileSync(join(web, 'index.html'), '<title>console</title>');
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(web, { recursive: true, force: true });
});

interface Running {
  readonly child: ChildProcess;
  readonly url: URL;
  readonly output: () => { stdout: string; stderr: string };
  readonly robotPid: number;
}

/** Resolves with the first line of stdout; the robot's process is the one that offers ALMotion. */
async function running(command: string, args: readonly string[], env: Record<string, string> = {}): Promise<Running> {
  const child = spawn(command, args, {
    cwd: checkout,
    env: terminalEnvironment(env),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  let stdout = '';
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  await new Promise<void>((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      if (stdout.includes('\n')) resolve();
    });
    child.once('exit', () => reject(new Error(stderr)));
  });
  const url = new URL(stdout.trim());
  const headers = { authorization: `Bearer ${tokenOf(url)}` };
  const services = (await (await fetch(`${url.origin}/robot/services`, { headers })).json()) as {
    name: string;
    processId: number;
  }[];
  const robotPid = services.find(({ name }) => name === 'ALMotion')?.processId ?? 0;
  return { child, url, output: () => ({ stdout, stderr }), robotPid };
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

const args = (): string[] => [start, '--port', '0', '--web', web];

describe('npm start', () => {
  it('says one line, the URL, with a robot behind it, and leaves nothing after SIGTERM', async () => {
    const { child, url, robotPid, output } = await running(process.execPath, args());
    expect(await (await fetch(url)).text()).toContain('<title>console</title>');
    expect(robotPid).not.toBe(child.pid);
    expect(isAlive(robotPid)).toBe(true);
    child.kill('SIGTERM');
    expect(await once(child, 'close')).toEqual([0, null]);
    expect(isAlive(robotPid)).toBe(false);
    expect(output()).toEqual({ stdout: `${url.href}\n`, stderr: '' });
  });

  it('takes the robot along when it is killed', async () => {
    const { child, robotPid } = await running(process.execPath, args());
    child.kill('SIGKILL');
    await expect.poll(() => isAlive(robotPid), { timeout: 10_000 }).toBe(false);
  });

  it('ends with the shell that npm started it in, which passes no signal on', async () => {
    const env = { npm_lifecycle_event: 'start' };
    const line = `'${process.execPath}' '${start}' --port 0 --web '${web}'; true`;
    const { child, url, robotPid } = await running('sh', ['-c', line], env);
    child.kill('SIGTERM');
    await expect.poll(() => isAlive(robotPid), { timeout: 10_000 }).toBe(false);
    await expect.poll(() => fetch(url).then(Boolean, () => false), { timeout: 10_000 }).toBe(false);
  });

  it('ends also when that shell was gone before it could look', async () => {
    const line = `'${process.execPath}' '${start}' --port 0 --web '${web}' &`;
    const shell = spawn('sh', ['-c', line], {
      cwd: checkout,
      env: terminalEnvironment({ npm_lifecycle_event: 'start' }),
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    // The program has this end of the pipe as long as it runs.
    await expect.poll(() => shell.stdout.resume().readableEnded, { timeout: 20_000 }).toBe(true);
  });

  it('ends with code 0 when it is asked to before anything has started', async () => {
    const outcome = await runProgram(process.execPath, [...endingAt('SIGHUP'), ...args(), '--log', 'info']);
    expect(outcome).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  it('says in one sentence that the port is in use', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    try {
      expect(await runProgram(process.execPath, [start, '--port', `${port}`, '--web', web])).toEqual({
        code: 1,
        stdout: '',
        stderr: `The console cannot be served on 127.0.0.1:${port}: port ${port} is in use; choose another with --port, 0 for any free one.\n`,
      });
    } finally {
      server.close();
    }
  });

  it('helps', async () => {
    const { code, stdout, stderr } = await runProgram(process.execPath, [start, '--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^Usage: npm start -- /);
  });
});

describe('its options', () => {
  it('are the address of the console and a bus of its own, unless they are given', () => {
    expect(startOptions([])).toEqual({
      args: ['--listen', '127.0.0.1:8080', '--bus-listen', 'tcp://127.0.0.1:0', '--log', 'warn'],
      address: '127.0.0.1:8080',
      isReal: false,
    });
    expect(startOptions(['--port=9', '--host', '::1', '--bus', 'tcp://nao.local:9559', '--log', 'info'])).toEqual({
      args: ['--listen', '[::1]:9', '--bus', 'tcp://nao.local:9559', '--log', 'info'],
      address: '[::1]:9',
      isReal: true,
    });
    expect(startOptions(['--listen', '127.0.0.1:7', '--bus-listen', 'tcp://127.0.0.1:8']).args).toEqual([
      '--log',
      'warn',
      '--listen',
      '127.0.0.1:7',
      '--bus-listen',
      'tcp://127.0.0.1:8',
    ]);
  });

  it.each([
    [['--port', 'abc'], '--port must be a number from 0 to 65535, not "abc".'],
    [['--port'], '--port must be a number from 0 to 65535, such as 8080.'],
    [['--port=65536'], '--port must be a number from 0 to 65535, not "65536".'],
    [['--host'], '--host needs an address, such as 127.0.0.1.'],
  ])('%j are refused in one sentence', (given, sentence) => {
    expect(() => startOptions(given)).toThrow(sentence);
  });

  it('name --port when the console is there already', () => {
    const folder = makeScratchFolder('start-twice');
    const parts = {
      path: join(folder, 'journal.sqlite'),
      clock: systemClock,
      logger: createLogger(() => {}, 'silent'),
    };
    const running = openJournal(parts);
    try {
      openJournal(parts).close();
      expect.fail('two agents have one journal');
    } catch (error) {
      expect(startFailure(error, '127.0.0.1:8080')).toBe(
        `Another agent is running that keeps its state in the same place, ${parts.path}; end it, or open the URL that it printed, or choose another --port.`,
      );
    } finally {
      running.close();
      rmSync(folder, { recursive: true });
    }
  });

  it('name --host where the agent says --listen', () => {
    const error = new QiwayError('config-invalid', '--listen 0.0.0.0:80 is reachable from other computers.', {
      data: { key: 'listen' },
    });
    expect(startFailure(error, '0.0.0.0:80')).toBe('--host 0.0.0.0 is reachable from other computers.');
  });
});
