// The launchers of the programs on a Node that cannot run them. Tooling test.

import { spawn } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkout, makeScratchFolder } from '../support/checkout-copy.ts';
import { asNode20, runProgram, terminalEnvironment } from '../support/run-program.ts';

const programs = [
  { launcher: 'sdk/bin/qiway.js', main: 'cli/main', folder: 'sdk', name: 'qiway' },
  { launcher: 'robot-agent/bin/qiway-agent.js', main: 'main', folder: 'robot-agent', name: 'qiway-agent' },
] as const;

let folder: string;

function write(file: string, text: string): void {
  mkdirSync(join(folder, file, '..'), { recursive: true });
  writeFileSync(join(folder, file), text);
}

beforeEach(() => {
  folder = makeScratchFolder('launchers');
  for (const { launcher } of programs) cpSync(join(checkout, launcher), join(folder, launcher));
  write('package.json', '{ "type": "module" }');
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe.each(programs)('$name', ({ launcher, main, folder: home, name }) => {
  it('runs the sources in a checkout', async () => {
    write(`${home}/${main}.ts`, 'const said: string = process.argv.slice(2).join(" "); console.log("source", said);');
    write(`${home}/dist/${main}.js`, 'console.log("dist");');
    const { stdout } = await runProgram(process.execPath, [launcher, 'a', 'b'], { cwd: folder });
    expect(stdout).toBe('source a b\n');
  });

  it('runs dist in an installed package', async () => {
    write(`${home}/dist/${main}.js`, 'console.log("dist", process.argv[2]);');
    const { stdout } = await runProgram(process.execPath, [launcher, 'a'], { cwd: folder });
    expect(stdout).toBe('dist a\n');
  });

  it("goes on with the checkout's Node where its own is too old, and ends as that one ends", async () => {
    write(`${home}/${main}.ts`, 'console.log("newer", process.argv[2]); process.exitCode = 5;');
    write('node_modules/.bin/node', `#!/bin/sh\nunset NODE_OPTIONS\nexec '${process.execPath}' "$@"\n`);
    chmodSync(join(folder, 'node_modules/.bin/node'), 0o755);
    const env = { NODE_OPTIONS: asNode20 };
    const { stdout, code } = await runProgram(process.execPath, [launcher, 'a'], { cwd: folder, env });
    expect({ stdout, code }).toEqual({ stdout: 'newer a\n', code: 5 });
  });

  it('ends by SIGTERM with the shell that npx started it in, which passes no signal on', async () => {
    write(
      `${home}/${main}.ts`,
      'const hold = setInterval(() => {}, 1000); process.once("SIGTERM", () => { console.log("ended"); clearInterval(hold); }); console.log("runs");',
    );
    const shell = spawn('sh', ['-c', `'${process.execPath}' ${launcher}; true`], {
      cwd: folder,
      env: terminalEnvironment({ npm_lifecycle_event: 'npx', npm_lifecycle_script: name }),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const lines = createInterface({ input: shell.stdout })[Symbol.asyncIterator]();
    expect((await lines.next()).value).toBe('runs');
    shell.kill('SIGTERM');
    expect((await lines.next()).value).toBe('ended');
    expect((await lines.next()).done).toBe(true);
  });

  it('ends also when that shell was gone before it could look', async () => {
    write(`${home}/${main}.ts`, 'setInterval(() => {}, 1000);');
    const shell = spawn('sh', ['-c', `'${process.execPath}' ${launcher} &`], {
      cwd: folder,
      env: terminalEnvironment({ npm_lifecycle_event: 'npx', npm_lifecycle_script: name }),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    // The program has this end of the pipe as long as it runs.
    await expect.poll(() => shell.stdout.resume().readableEnded, { timeout: 10_000 }).toBe(true);
  });

  it('says what is missing where there is no newer Node', async () => {
    write(`${home}/${main}.ts`, 'console.log("unreachable");');
    const env = { NODE_OPTIONS: asNode20 };
    const { stdout, stderr, code } = await runProgram(process.execPath, [launcher], { cwd: folder, env });
    expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
    expect(stderr).toContain(`${name} needs Node 22.18 or later, and this is 20.9.0.`);
    expect(stderr).toContain('node scripts/setup.mjs');
  });
});
