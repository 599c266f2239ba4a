// `npm start`: the agent with the console at one address, and a simulated robot as a process of its own on the agent's bus.
// With `--bus URL` a real robot takes the simulated one's place. One line on stdout: the URL. Tooling.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { isQiwayError } from '@qiway/protocol/errors';
import { systemClock } from '@qiway/protocol/transport/system-clock';
import { type Agent, createLogger, readConfig, startAgent } from '@qiway/robot-agent';
import { root } from './checks.ts';
import { ensureDemo } from './demo-build.ts';

const HELP = `Usage: npm start -- [--port N] [--host H] [--bus tcp://HOST:9559] [options of qiway-agent]

Starts the robot console and prints its URL. Without --bus a simulated robot is started, a process of its own on a real
qi bus. --port: default 8080, 0 for any free one. --host: default 127.0.0.1.
`;
/** Until the simulated robot has registered its services; it takes about a second. */
const ROBOT_TIMEOUT_MS = 20_000;

await main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});

async function main(args: readonly string[]): Promise<void> {
  if (args.includes('--help')) {
    process.stdout.write(HELP);
    return;
  }
  const { host, port, rest } = ownOptions(args);
  const isReal = rest.some((arg) => arg === '--bus' || arg.startsWith('--bus='));
  const busArgs =
    isReal || rest.some((arg) => arg.startsWith('--bus-listen')) ? [] : ['--bus-listen', 'tcp://127.0.0.1:0'];
  const invocation = readConfig({
    args: [
      '--listen',
      `${host.includes(':') ? `[${host}]` : host}:${port}`,
      ...busArgs,
      ...(rest.includes('--log') ? [] : ['--log', 'warn']),
      ...rest,
    ],
    env: process.env,
    readFile: (path) => readFileSync(path, 'utf8'),
    newToken: () => randomBytes(32).toString('base64url'),
  });
  if (invocation.kind !== 'run') return;
  const config = { ...invocation.config, web: invocation.config.web ?? (await ensureDemo()) };
  const agent = await startAgent(config, {
    logger: createLogger((line) => process.stderr.write(line), config.log),
    clock: systemClock,
  });
  const robot = isReal ? undefined : startRobot(agent);
  endCleanly(agent, robot);
  if (!isReal) await robotReady(agent, robot);
  process.stdout.write(`${agent.url}\n`);
}

/** `--port` and `--host` are of `npm start`; everything else is the agent's. */
function ownOptions(args: readonly string[]): { host: string; port: string; rest: string[] } {
  const { values, tokens } = parseArgs({
    args: [...args],
    options: { port: { type: 'string' }, host: { type: 'string' } },
    strict: false,
    tokens: true,
  });
  const own = new Set<number>();
  for (const token of tokens) {
    if (token.kind !== 'option' || (token.name !== 'port' && token.name !== 'host')) continue;
    own.add(token.index);
    if (token.inlineValue === false) own.add(token.index + 1);
  }
  const { port = '8080', host = '127.0.0.1' } = values;
  if (typeof port !== 'string' || !/^\d{1,5}$/.test(port) || Number(port) > 65_535)
    throw new Error(`--port ${String(port)}: must be a number from 0 to 65535.`);
  if (typeof host !== 'string') throw new Error('--host needs an address, such as 127.0.0.1.');
  return { host, port, rest: args.filter((_, index) => !own.has(index)) };
}

function startRobot(agent: Agent): ChildProcess {
  if (agent.busUrl === undefined)
    throw new Error('The agent is not a service directory, so no simulated robot can join it.');
  const robot = spawn(process.execPath, [join(root, 'simulated-robot/main.ts'), '--bus', agent.busUrl], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  robot.on('exit', (code) => {
    if (code !== null && code !== 0)
      process.stderr.write(
        `The simulated robot ended with code ${code}. The console stays; start again for a robot.\n`,
      );
  });
  return robot;
}

/** Resolves when the services to drive by are there, or when it takes too long: the console then tells what is missing. */
async function robotReady(agent: Agent, robot: ChildProcess | undefined): Promise<void> {
  const isThere = async (): Promise<boolean> => (await agent.bus.services()).some(({ name }) => name === 'ALMotion');
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ROBOT_TIMEOUT_MS);
    const done = (): void => {
      clearTimeout(timer);
      stop();
      resolve();
    };
    const look = (): void => {
      isThere().then((found) => found && done(), done);
    };
    const stop = agent.bus.listen({ serviceAdded: look });
    robot?.once('exit', done);
    look();
  });
}

function endCleanly(agent: Agent, robot: ChildProcess | undefined): void {
  let isEnding = false;
  const end = async (): Promise<void> => {
    if (isEnding) return;
    isEnding = true;
    robot?.kill('SIGTERM');
    await agent.close().catch((error: unknown) => {
      if (isQiwayError(error)) process.stderr.write(`${error.message}\n`);
    });
    process.exit(0);
  };
  for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(name, () => void end());
}
