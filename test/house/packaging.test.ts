// The published packages, as someone gets them who has no checkout. Tooling test; runs npm.

import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sdkSize } from '../../scripts/size.ts';
import { checkout, makeScratchFolder } from '../support/checkout-copy.ts';
import { manifestsIn, type PackedPackages, packPackages } from '../support/packed-packages.ts';
import { type ProgramOutcome, runProgram, succeed } from '../support/run-program.ts';

/** Builds, type checks and one install from the registry, on a machine that is busy with other tests. */
const timeoutMs = 180_000;

const folder = makeScratchFolder('packaging');
const scratch = join(folder, 'scratch');
let packed: PackedPackages;

async function runModule(source: string): Promise<string> {
  return succeed(process.execPath, ['--input-type=module', '--eval', source], { cwd: scratch });
}

async function typeCheck(source: string, options: object): Promise<ProgramOutcome> {
  writeFileSync(join(scratch, 'program.ts'), source);
  const compilerOptions = {
    strict: true,
    noEmit: true,
    module: 'nodenext',
    target: 'es2022',
    skipLibCheck: false,
    ...options,
  };
  writeFileSync(join(scratch, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['program.ts'] }));
  return await runProgram(join(checkout, 'node_modules', '.bin', 'tsc'), ['--project', scratch, '--pretty', 'false']);
}

beforeAll(async () => {
  packed = await packPackages();
  mkdirSync(scratch);
  writeFileSync(join(scratch, 'package.json'), '{ "private": true, "type": "module" }\n');
  const { sdk, agent } = packed;
  await succeed('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', sdk, agent], { cwd: scratch });
}, timeoutMs);

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
  packed?.remove();
});

describe('the published packages', () => {
  it('leave the manifests of the checkout as they were', () => {
    expect(packed.manifests).toEqual(manifestsIn(checkout));
  });

  it('carry their license, and nothing of the private protocol package in code or declarations', async () => {
    for (const name of ['sdk', 'robot-agent']) {
      const installed = join(scratch, 'node_modules', '@qiway', name);
      expect(readFileSync(join(installed, 'LICENSE'), 'utf8')).toContain('MIT License');
      const { code } = await runProgram('grep', ['-rEl', `(from|import) *\\(?['"]@qiway/protocol`, installed]);
      expect(code).toBe(1);
    }
  });

  it('install no server beside the SDK', () => {
    const manifest: unknown = JSON.parse(
      readFileSync(join(scratch, 'node_modules', '@qiway', 'sdk', 'package.json'), 'utf8'),
    );
    expect(manifest).not.toHaveProperty(['dependencies', 'ws']);
    expect(manifest).not.toHaveProperty('devDependencies');
    expect(manifest).not.toHaveProperty('private');
  });

  it('let Node import the SDK', async () => {
    expect(await runModule(`import { connect } from '@qiway/sdk'; console.log(typeof connect);`)).toBe('function\n');
  });

  it('let Node import the agent and its qi library', async () => {
    const source = `
      const agent = await import('@qiway/robot-agent');
      const qi = await import('@qiway/robot-agent/qi');
      console.log(Object.keys(agent).length > 0, Object.keys(qi).length > 0);`;
    expect(await runModule(source)).toBe('true true\n');
  });

  it('load the part of the SDK that serves objects when it is needed', async () => {
    const source = `
      import { connect } from '@qiway/sdk';
      import { createLogger, startAgent } from '@qiway/robot-agent';
      const clock = {
        now: () => performance.now(),
        after: (ms, run) => { const timer = setTimeout(run, ms); return () => clearTimeout(timer); },
      };
      const config = { busListen: 'tcp://127.0.0.1:0', listen: { host: '127.0.0.1', port: 0 }, token: 't',
        allowOrigins: [], allowHosts: [], log: 'error' };
      const agent = await startAgent(config, { logger: createLogger(() => {}, 'error'), clock });
      const page = await connect(agent.url);
      await page.host('Page', { greet: (name, then) => then.call(name) });
      const other = await connect(agent.url);
      const service = await other.service('Page');
      console.log(await service.greet('you', (name) => 'hello ' + name));
      await Promise.all([page.close(), other.close()]);
      await agent.close();`;
    expect(await runModule(source)).toBe('hello you\n');
  });

  it('leave out of a page what it does not use', async () => {
    const published = await sdkSize(join(scratch, 'node_modules', '@qiway', 'sdk', 'dist', 'index.js'));
    const { gzipBytes } = await sdkSize();
    for (const stage of ['core', 'link', 'onDemand'] as const)
      expect.soft(published.gzipBytes[stage], stage).toBeLessThan(gzipBytes[stage] * 1.05);
  });

  it(
    'type a program that uses the SDK',
    async () => {
      const program = `
      import { connect } from '@qiway/sdk';
      interface Services {
        ALTextToSpeech: { say(text: string): Promise<void> };
      }
      const robot = await connect<Services>('http://127.0.0.1:8080/#token=t');
      const speech = await robot.service('ALTextToSpeech');
      await speech.say('hello');
      // @ts-expect-error: say takes a text
      await speech.say(5);
      await robot.close();`;
      const { code, stdout } = await typeCheck(program, {
        lib: ['es2024', 'esnext.disposable', 'dom', 'dom.asynciterable'],
        types: [],
      });
      expect(stdout).toBe('');
      expect(code).toBe(0);
    },
    timeoutMs,
  );

  it(
    'type a program that uses the qi library',
    async () => {
      mkdirSync(join(scratch, 'node_modules', '@types'), { recursive: true });
      for (const name of ['@types/node', '@types/ws', 'undici-types']) {
        symlinkSync(join(checkout, 'node_modules', name), join(scratch, 'node_modules', name));
      }
      const program = `
      import * as agent from '@qiway/robot-agent';
      import * as qi from '@qiway/robot-agent/qi';
      // @ts-expect-error: there is no such export
      agent.noSuchExport;
      // @ts-expect-error: there is no such export
      qi.noSuchExport;`;
      const { code, stdout } = await typeCheck(program, { lib: ['es2024', 'esnext.disposable'], types: ['node'] });
      expect(stdout).toBe('');
      expect(code).toBe(0);
    },
    timeoutMs,
  );

  it(
    'bring programs that say how they are used',
    async () => {
      for (const name of ['qiway-agent', 'qiway']) {
        const said = await succeed('npx', [name, '--help'], { cwd: scratch });
        expect(said).toContain(name);
      }
    },
    timeoutMs,
  );
});
