// What the README tells a newcomer to type, done against the agent and the simulated robot: its program type-checks against
// the types of the live robot and runs, its command lines work. Processes.
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tokenOf } from '../support/agent-config.ts';
import { checkout, makeScratchFolder } from '../support/checkout-copy.ts';
import { type Program, startProgram } from '../support/program.ts';
import { type ProgramOutcome, runProgram } from '../support/run-program.ts';

const readme = readFileSync(join(checkout, 'README.md'), 'utf8');
const bin = join(checkout, 'node_modules/.bin');
/** What ends only when it is interrupted is tested elsewhere. */
const ENDLESS = /event-stream|qiway watch/;

let folder: string;
let agent: Program;
let robot: Program;
let url: URL;

function blocks(language: string): string[] {
  return [...readme.matchAll(new RegExp(`\`\`\`${language}\\n(.*?)\`\`\``, 'gs'))].map(([, block = '']) => block);
}

function shellLines(program: string): string[] {
  return blocks('sh')
    .flatMap((block) => block.split('\n'))
    .filter((line) => line.startsWith(program) && !ENDLESS.test(line));
}

/** Runs a line in a shell, in the scratch folder, against this robot. */
function inShell(line: string): Promise<ProgramOutcome> {
  const token = tokenOf(url);
  const here = line.replaceAll('http://127.0.0.1:8080', url.origin).replace('curl ', 'curl --fail --silent ');
  return runProgram('sh', ['-c', `H='Authorization: Bearer ${token}'\n${here.replace('npx ', '')}`], {
    cwd: folder,
    env: { QIWAY_URL: url.href, PATH: [bin, process.env['PATH']].join(delimiter) },
  });
}

beforeAll(async () => {
  folder = makeScratchFolder('readme');
  symlinkSync(join(checkout, 'node_modules'), join(folder, 'node_modules'));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  agent = startProgram(join(checkout, 'robot-agent/main.ts'), [
    '--listen',
    '127.0.0.1:0',
    '--bus-listen',
    'tcp://127.0.0.1:0',
  ]);
  const [, bus = ''] = await agent.said(/is the service directory.*url=(tcp:\/\/\S+)/);
  url = new URL((await agent.said(/^http:\/\/\S+#token=\S+$/))[0]);
  robot = startProgram(join(checkout, 'simulated-robot/main.ts'), ['--bus', bus]);
  await robot.said(/services on tcp:/);
});
afterAll(async () => {
  await robot?.end();
  await agent?.end();
  rmSync(folder, { recursive: true, force: true });
});

describe('the README', () => {
  it('has a program that type-checks against the types of the live robot, and does what it says', async () => {
    expect(await inShell('qiway types > robot.d.ts')).toMatchObject({ code: 0, stderr: '' });
    const [program = ''] = blocks('ts');
    expect(program.trimEnd().split('\n').length).toBeLessThanOrEqual(14);
    writeFileSync(join(folder, 'program.ts'), program.replace(/http:\/\/127\.0\.0\.1:8080\/#token=…/, url.href));
    const compilerOptions = {
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      noPropertyAccessFromIndexSignature: true,
      noEmit: true,
      allowImportingTsExtensions: true,
      module: 'esnext',
      moduleResolution: 'bundler',
      target: 'es2024',
      lib: ['es2024', 'esnext.disposable', 'dom'],
      types: [],
    };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['program.ts'] }));
    const tsc = join(checkout, 'node_modules/typescript/bin/tsc');
    const compiled = spawnSync(process.execPath, [tsc, '-p', '.', '--pretty', 'false'], {
      cwd: folder,
      encoding: 'utf8',
    });
    // The SDK's sources are checked elsewhere, with their own flags.
    expect(compiled.stdout.split('\n').filter((line) => /^(program|robot\.d)\.ts|^error/.test(line))).toEqual([]);
    // It ends with the robot on its way; a program of one's own closes the robot when it is done.
    writeFileSync(
      join(folder, 'program.ts'),
      `${readFileSync(join(folder, 'program.ts'), 'utf8')}await robot.close();\n`,
    );
    const ran = await runProgram(process.execPath, ['program.ts'], { cwd: folder });
    expect({ ...ran, stdout: ran.stdout.split('\n').slice(0, 3) }).toEqual({
      code: 0,
      stdout: ['Hello', 'I', 'am'],
      stderr: '',
    });
  });

  it.each(shellLines('npx qiway'))('%s works', async (line) => {
    expect(await inShell(line)).toMatchObject({ code: 0, stderr: '' });
  });

  it.skipIf(spawnSync('curl', ['--version']).error !== undefined).each(shellLines('curl'))('%s works', async (line) => {
    const { code, stdout } = await inShell(line);
    expect(code).toBe(0);
    expect(() => JSON.parse(stdout)).not.toThrow();
  });
});
