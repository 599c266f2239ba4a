// The declarations of the installed SDK, for every entry and both ways in which TypeScript resolves packages.
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkout } from '../support/checkout-copy.ts';
import { runProgram } from '../support/run-program.ts';
import { type InstalledSdk, installSdk } from './installed-sdk.ts';

const PATIENCE_MS = 90_000;

const PROGRAM = `import { connect, type Robot, type RobotConnectOptions } from '@qiway/sdk';
import { useRobot, useService } from '@qiway/sdk/react';
import { robotStore } from '@qiway/sdk/stores';
import { registerGateway } from '@qiway/sdk/gateway';
import { addGateway, type GatewayOptions } from '@qiway/sdk/sw';
import '@qiway/sdk/worker';
interface Services { Voice: { say(text: string): Promise<void> } }
export const options: RobotConnectOptions = { worker: '/qiway-worker.js' };
export const gateway: GatewayOptions = { base: '/robot/' };
export const robot: Promise<Robot<Services>> = connect<Services>('http://127.0.0.1:8080/#token=t', options);
export const owner: Promise<'worker' | 'page'> = robot.then(({ status }) => status.owner);
// @ts-expect-error: the path of a file, the worker itself, or false
connect('http://127.0.0.1:8080/', { worker: true });
// @ts-expect-error: a path
addGateway({ base: 5 });
export const functions = [useRobot, useService, robotStore, registerGateway, addGateway] satisfies ((...args: never[]) => unknown)[];
`;

let installed: InstalledSdk;
beforeAll(async () => {
  installed = await installSdk();
}, PATIENCE_MS);
afterAll(() => installed?.remove());

test.each([
  ['bundler', 'esnext'],
  ['nodenext', 'nodenext'],
])('resolve and hold with moduleResolution %s', { timeout: PATIENCE_MS }, async (moduleResolution, module) => {
  const compilerOptions = {
    strict: true,
    noEmit: true,
    skipLibCheck: false,
    target: 'es2022',
    lib: ['es2024', 'esnext.disposable', 'dom', 'dom.iterable', 'dom.asynciterable'],
    types: [],
    module,
    moduleResolution,
  };
  const app = installed.writeApp(`types-${moduleResolution}`, {
    'program.ts': PROGRAM,
    'tsconfig.json': JSON.stringify({ compilerOptions, files: ['program.ts'] }),
  });
  const tsc = join(checkout, 'node_modules/.bin/tsc');
  const { code, stdout } = await runProgram(tsc, ['--project', app, '--pretty', 'false']);
  expect(stdout).toBe('');
  expect(code).toBe(0);
});
