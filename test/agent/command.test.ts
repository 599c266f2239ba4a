// qiway-agent as a process.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import { endingAt, runProgram } from '../support/run-program.ts';

const launcher = fileURLToPath(new URL('../../robot-agent/bin/qiway-agent.js', import.meta.url));
const running: ChildProcess[] = [];
afterEach(() => {
  for (const child of running.splice(0)) child.kill('SIGKILL');
});

interface Run {
  readonly child: ChildProcess;
  /** Resolves with the first line of stdout. */
  readonly firstLine: Promise<string>;
  readonly ended: Promise<{ code: number | null; stdout: string; stderr: string }>;
}

function run(args: readonly string[], env: Record<string, string> = {}): Run {
  const child = spawn(process.execPath, [launcher, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, QIWAY_TOKEN: undefined, ...env },
  });
  running.push(child);
  let stdout = '';
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk;
  });
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, stdout, stderr }));
  const firstLine = new Promise<string>((resolve, reject) => {
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      stdout += chunk;
      if (stdout.includes('\n')) resolve(stdout.slice(0, stdout.indexOf('\n')));
    });
    void ended.then(() => reject(new Error(`it ended: ${stderr}`)));
  });
  firstLine.catch(() => {});
  return { child, firstLine, ended };
}

const anyPort = ['--listen', '127.0.0.1:0', '--bus-listen', 'tcp://127.0.0.1:0'];

describe('qiway-agent', () => {
  test('prints one line when ready, its URL with a fresh token, and ends on SIGTERM', async () => {
    const { child, firstLine, ended } = run(anyPort);
    const url = new URL(await firstLine);
    expect([url.protocol, url.hostname, url.pathname]).toEqual(['http:', '127.0.0.1', '/']);
    const token = new URLSearchParams(url.hash.slice(1)).get('token') ?? '';
    expect(token).toMatch(/^[\w-]{43}$/);
    const response = await fetch(`${url.origin}/robot/services`, { headers: { authorization: `Bearer ${token}` } });
    expect(await response.json()).toMatchObject([{ name: 'ServiceDirectory', serviceId: 1 }]);
    child.kill('SIGTERM');
    const { code, stdout, stderr } = await ended;
    expect([code, stdout]).toEqual([0, `${url.href}\n`]);
    expect(stderr).not.toContain(token);
    for (const line of stderr.trimEnd().split('\n')) expect(line).toMatch(/^\d{4}-\d\d-\d\dT\S+Z (info|warn) /);
  });

  test('ends with code 0 when it is asked to while it starts', async () => {
    const outcome = await runProgram(process.execPath, [...endingAt('SIGINT'), launcher, ...anyPort]);
    expect(outcome).toMatchObject({ code: 0, stdout: '' });
  });

  test('takes its token from the environment, the rest from a file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'qiway-config-'));
    try {
      const file = join(folder, 'agent.json');
      await writeFile(
        file,
        JSON.stringify({ listen: '127.0.0.1:0', 'bus-listen': 'tcp://127.0.0.1:0', log: 'silent' }),
      );
      const { child, firstLine, ended } = run(['--config', file], { QIWAY_TOKEN: 'from-environment' });
      expect(new URL(await firstLine).hash).toMatch(/^#token=from-environment&robot=[a-z2-7]{52}$/);
      child.kill('SIGINT');
      expect(await ended).toMatchObject({ code: 0, stderr: '' });
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test('waits for a bus that is not there, and says so', async () => {
    const { child, firstLine, ended } = run(['--listen', '127.0.0.1:0', '--bus', 'tcp://127.0.0.1:9']);
    const { origin } = new URL(await firstLine);
    expect(await (await fetch(`${origin}/healthz`)).json()).toEqual({ status: 'ok', bus: 'down' });
    child.kill('SIGTERM');
    const { code, stderr } = await ended;
    expect(code).toBe(0);
    expect(stderr).toMatch(
      /the robot bus is not there yet; waiting for it url=tcp:\/\/127.0.0.1:9 reason="Nothing answers at tcp:\/\/127.0.0.1:9: the computer is there, and nobody listens/,
    );
  });

  test('a port in use is one sentence and exit code 1', async () => {
    const first = run(anyPort);
    const { host } = new URL(await first.firstLine);
    const second = await run(['--listen', host, '--bus-listen', 'tcp://127.0.0.1:0', '--log', 'silent']).ended;
    const [, port] = host.split(':');
    expect(second).toEqual({
      code: 1,
      stdout: '',
      stderr: `qiway-agent: The agent cannot listen on ${host}: port ${port} is in use; choose another with --listen, or port 0 for any free one.\n`,
    });
    first.child.kill('SIGTERM');
    await first.ended;
  });

  test.each([
    [['--wings', 'on'], 'qiway-agent: There is no option --wings. See --help.\n'],
    [
      ['--listen', '0.0.0.0:0'],
      'qiway-agent: --listen 0.0.0.0:0 is reachable from other computers, and nothing there is encrypted. Add --insecure-listen if that is what you want. Or serve TLS: --tls self.\n',
    ],
  ])('%j is refused in one sentence', async (args, sentence) => {
    expect(await run(args).ended).toEqual({ code: 1, stdout: '', stderr: sentence });
  });

  test('--help and --version', async () => {
    const help = await run(['--help']).ended;
    expect([help.code, help.stderr]).toEqual([0, '']);
    expect(help.stdout).toMatch(/^Usage: qiway-agent \[options\]\n/);
    expect(await run(['--version']).ended).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    });
  });
});
