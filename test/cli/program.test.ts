// The program itself: launched as npx does, against a real agent with a service that joined over TCP.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { method, property, signal } from '@qiway/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RealRobot, realRobot } from '../sdk/real-robot.ts';
import { runProgram, terminalEnvironment } from '../support/run-program.ts';

const launcher = fileURLToPath(new URL('../../sdk/bin/qiway.js', import.meta.url));
let robot: RealRobot;

beforeAll(async () => {
  robot = await realRobot({
    add: method('(ii)', 'i', (a: number, b: number) => a + b),
    never: method('()', 'v', () => new Promise<void>(() => {})),
    level: property('i', 1),
    changed: signal('(s)'),
  });
});

afterAll(() => robot[Symbol.asyncDispose]());

const qiway = (...args: string[]) =>
  runProgram(process.execPath, [launcher, ...args], { env: { QIWAY_URL: robot.url } });

/** Starts the program and waits until standard error holds `text`. */
async function start(args: readonly string[], text: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, [launcher, ...args], { env: terminalEnvironment({ QIWAY_URL: robot.url }) });
  await new Promise<void>((resolve, reject) => {
    let error = '';
    child.once('exit', () => reject(new Error(`ended: ${error}`)));
    child.stderr.on('data', (chunk: Buffer) => {
      error += chunk.toString();
      if (error.includes(text)) resolve();
    });
  });
  return child;
}

describe('the program qiway', () => {
  it('calls a service in another place through the agent', async () => {
    expect(await qiway('call', 'Thing.add', '2', '3')).toEqual({ code: 0, stdout: '5\n', stderr: '' });
  });

  it('ends with code 1 and one line when the robot refuses, with 2 for wrong use', async () => {
    const refused = await qiway('call', 'Thing.added', '2', '3');
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toMatch(/^qiway: \[member-not-found\] [^\n]+\n$/);
    expect(await qiway('fly')).toMatchObject({ code: 2, stdout: '' });
  });

  it('says of a call without an answer that it may have run', async () => {
    expect(await qiway('call', '--timeout', '1', 'Thing.never')).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^qiway: \[timeout\] .* It may have run on the robot all the same\.\n$/),
    });
  });

  it('unsubscribes and ends with code 0 at Ctrl-C', async () => {
    const child = await start(['watch', 'Thing.changed'], 'watching Thing.changed');
    const seen = once(child.stdout ?? child, 'data');
    robot.thing.emit('changed', 'now');
    expect(String((await seen)[0])).toBe('["now"]\n');
    child.kill('SIGINT');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  it('ends quietly when nobody reads its output any more', async () => {
    const child = await start(['watch', 'Thing.level'], 'watching Thing.level');
    let errors = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      errors += chunk.toString();
    });
    const ended = once(child, 'exit');
    child.stdout?.destroy();
    let level = 1;
    const timer = setInterval(() => robot.thing.set('level', ++level), 10);
    expect(await ended).toEqual([0, null]);
    clearInterval(timer);
    expect(errors).toBe('');
  });
});

describe('qiway doctor', () => {
  it('finds everything in order', async () => {
    const { code, stdout } = await qiway('doctor');
    expect(stdout.split('\n').map((line) => line.split(':', 1)[0])).toEqual([
      'ok      URL',
      'skipped name',
      'skipped certificate',
      'ok      agent',
      'ok      WebSocket',
      'ok      handshake',
      'ok      token',
      'ok      session',
      'ok      bus',
      'ok      services',
      'ok      round trip',
      '',
    ]);
    expect(stdout).toMatch(/services: 1: Thing\n/);
    expect(code).toBe(0);
  });

  it('says when no robot is on the bus, and what to do', async () => {
    const agent = await realRobot({});
    try {
      await agent.bus.close();
      const { code, stdout } = await qiway('doctor', '--url', agent.url);
      expect(code).toBe(1);
      expect(stdout).toMatch(
        /failed {2}services: \[service-gone\] no robot .*\n {8}→ start the robot.*\nok {6}round trip/,
      );
    } finally {
      await agent[Symbol.asyncDispose]();
    }
  });

  it('says what to do about a wrong token', async () => {
    const { code, stdout } = await qiway('doctor', '--url', `${robot.origin}/#token=wrong`);
    expect(code).toBe(1);
    expect(stdout).toMatch(/failed {2}token: \[unauthorized\] .*\n {8}→ .*copy the whole URL again.*\nskipped session/);
  });

  it('says which robot it is, and when it is another than the URL names', async () => {
    const { stdout } = await qiway('doctor', '--url', robot.url);
    const id = new URLSearchParams(new URL(robot.url).hash.slice(1)).get('robot') ?? '';
    expect(stdout).toMatch(new RegExp(`ok {6}handshake: .* robot ${id}, .* not sealed`));
    const other = robot.url.replace(/robot=.*/, `robot=${'a'.repeat(52)}`);
    const { code, stdout: told } = await qiway('doctor', '--url', other);
    expect(code).toBe(1);
    expect(told).toMatch(/failed {2}handshake: \[robot-identity-mismatch\] .*\n {8}→ another robot has this address/);
  });

  it('says when what answers is no agent', async () => {
    const server = createHttpServer((_, response) => response.end('hello')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const { code, stdout } = await qiway('doctor', '--url', `http://127.0.0.1:${port}/#token=x`);
    server.close();
    expect(code).toBe(1);
    expect(stdout).toMatch(/failed {2}agent: .*is no robot agent.*\n {8}→ another program has this port/);
  });

  it('says what to do when nothing answers, and when there is no URL', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    server.close();
    await once(server, 'close');
    const port = address !== null && typeof address === 'object' ? address.port : 0;
    const { code, stdout } = await qiway('doctor', '--url', `http://127.0.0.1:${port}/#token=x`, '--json');
    const steps = JSON.parse(stdout) as { name: string; state: string; advice?: string }[];
    expect(code).toBe(1);
    expect(steps.slice(0, 4).map(({ state }) => state)).toEqual(['ok', 'skipped', 'skipped', 'failed']);
    expect(new Set(steps.slice(4).map(({ state }) => state))).toEqual(new Set(['skipped']));
    expect(steps[3]?.advice).toContain('npx qiway-agent');
    const named = await qiway('doctor', '--url', 'http://robot.invalid:8080/#token=x');
    expect(named.stdout).toMatch(
      /failed {2}name: .*nobody knows the name of robot\.invalid:8080\n {8}→ is the name written right/,
    );
    const without = await runProgram(process.execPath, [launcher, 'doctor'], { env: { QIWAY_URL: '' } });
    expect(without).toMatchObject({ code: 1, stdout: expect.stringContaining('failed  URL') });
  });
});
