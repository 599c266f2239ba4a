// What an agent keeps of itself between its starts, and when it refuses to go on with it.
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isId } from '@qiway/protocol/secure/identity';
import type { LogData, Logger } from '@qiway/robot-agent';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Identity, openIdentity } from '../../robot-agent/identity/identity.ts';
import { stateDirectory } from '../../robot-agent/identity/state-directory.ts';
import { agentConfig } from '../support/agent-config.ts';
import { runProgram } from '../support/run-program.ts';

let scratch: string;
let state: string;
let warnings: { readonly sentence: string; readonly data: LogData | undefined }[];
const silent = (): void => {};
const logger: Logger = {
  debug: silent,
  info: silent,
  warn: (sentence, data) => warnings.push({ sentence, data }),
  error: silent,
};

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'qiway-identity-'));
  state = join(scratch, 'deep', 'state');
  warnings = [];
});
afterEach(() => {
  rmSync(scratch, { recursive: true, force: true });
});

function open(changes: { state?: string; token?: string; isTokenMade?: boolean } = {}): Promise<Identity> {
  return openIdentity(agentConfig({ state, token: 'fresh', isTokenMade: true, ...changes }), logger);
}

describe('the identity of an agent', () => {
  test('outlives its starts, with the token', async () => {
    const first = await open({ token: 'made-first' });
    const second = await open({ token: 'made-second' });
    expect(isId(first.robotId)).toBe(true);
    expect(second.robotId).toBe(first.robotId);
    expect(second.staticKey.publicKey).toEqual(first.staticKey.publicKey);
    expect(second.proof).toEqual(first.proof);
    expect([first.token, second.token, second.directory]).toEqual(['made-first', 'made-first', state]);
  });

  test('lies in files that only its user reads', async () => {
    await open();
    expect(statSync(state).mode & 0o777).toBe(0o700);
    expect(readdirSync(state).sort()).toEqual(['identity.json', 'token']);
    for (const name of readdirSync(state)) expect(statSync(join(state, name)).mode & 0o777).toBe(0o600);
  });

  test('a token that was given is taken, and not kept', async () => {
    expect((await open({ token: 'given', isTokenMade: false })).token).toBe('given');
    expect(readdirSync(state)).toEqual(['identity.json']);
  });

  test('is another in another directory', async () => {
    expect((await open({ state: join(scratch, 'other') })).robotId).not.toBe((await open()).robotId);
  });

  test('is one for all agents that start at once', async () => {
    const program = `
      const { openIdentity } = await import(process.argv[1]);
      const { robotId, token } = await openIdentity(
        { state: process.argv[2], listen: { host: '127.0.0.1', port: 0 }, token: String(process.pid), isTokenMade: true }, console);
      console.log(robotId, token);`;
    const path = join(import.meta.dirname, '../../robot-agent/identity/identity.ts');
    const runs = await Promise.all(
      Array.from({ length: 4 }, () =>
        runProgram(process.execPath, ['--input-type=module', '--eval', program, path, state], {}),
      ),
    );
    expect(new Set(runs.map(({ stdout }) => stdout)).size).toBe(1);
    expect(runs[0]?.stdout).toMatch(/^[a-z2-7]{52} \d+\n$/);
    expect(readdirSync(state).sort()).toEqual(['identity.json', 'token']);
  });
});

describe('files that cannot be used are refused with what to do', () => {
  const refusal = async (): Promise<string> => {
    const error = await open().then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({ code: 'config-invalid', data: { key: 'state' } });
    return (error as Error).message;
  };

  test.each(['identity.json', 'token'])('%s that others may read', async (name) => {
    await open();
    chmodSync(join(state, name), 0o644);
    expect(await refusal()).toMatch(/may be read by other users.*chmod 600/);
  });

  test('a directory in which everybody may write', async () => {
    await open();
    chmodSync(state, 0o777);
    expect(await refusal()).toContain('chmod 700');
  });

  const good = Buffer.alloc(32, 1).toString('base64url');
  test.each([
    '',
    'no JSON',
    'null',
    '[]',
    '{"identity":1,"staticKey":2}',
    JSON.stringify({ identity: good }),
    JSON.stringify({ identity: good, staticKey: good.slice(1) }),
  ])('keys that read %j', async (text) => {
    await open();
    writeFileSync(join(state, 'identity.json'), text);
    expect(await refusal()).toContain('put back a copy, or delete it');
    expect(readFileSync(join(state, 'identity.json'), 'utf8')).toBe(text);
  });

  test('a token that is none', async () => {
    await open();
    writeFileSync(join(state, 'token'), 'two words\n');
    expect(await refusal()).toContain('does not hold a token');
  });

  test('a folder in the place of a file', async () => {
    mkdirSync(join(state, 'identity.json'), { recursive: true });
    chmodSync(state, 0o700);
    expect(await refusal()).toContain('is no file');
  });
});

describe('without a place to keep it', () => {
  test('an agent at any free port is somebody new at each start, and that is no fault', async () => {
    const start = () => openIdentity(agentConfig({ token: 'fresh', isTokenMade: true }), logger);
    const [first, second] = [await start(), await start()];
    expect(second.robotId).not.toBe(first.robotId);
    expect([first.token, first.directory, warnings]).toEqual(['fresh', undefined, []]);
  });

  test('a place that cannot be written is told, and the agent starts all the same', async () => {
    writeFileSync(join(scratch, 'file'), '');
    const { directory, robotId, token } = await open({ state: join(scratch, 'file', 'below') });
    expect([directory, token, isId(robotId)]).toEqual([undefined, 'fresh', true]);
    expect(warnings).toEqual([
      {
        sentence: expect.stringContaining('cannot be kept'),
        data: expect.objectContaining({ reason: expect.any(String) }),
      },
    ]);
  });
});

test('the place follows from the address, unless one is named', () => {
  const listen = { host: '::1', port: 8080 };
  expect(stateDirectory({ listen, state: '/named' }, {})).toBe('/named');
  expect(stateDirectory({ listen }, { XDG_STATE_HOME: '/states' })).toBe('/states/qiway-agent/__1_8080');
  expect(stateDirectory({ listen }, {})).toMatch(/\/\.local\/state\/qiway-agent\/__1_8080$/);
  expect(stateDirectory({ listen: { host: '127.0.0.1', port: 0 } }, {})).toBeUndefined();
});
