// What `npm start` starts: the agent with the console at one address, and a simulated robot as a process of its own on the
// agent's bus. With `--bus URL` a real robot takes the simulated one's place. One line on stdout: the URL. Tooling.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isQiwayError } from '@qiway/protocol/errors';
import { systemClock } from '@qiway/protocol/transport/system-clock';
import { type Agent, agentVersion, createLogger, readConfig, startAgent } from '@qiway/robot-agent';
import { root } from './checks.ts';
import { ensureDemo } from './demo-build.ts';
import { ENDING } from './early-end.ts';
import { HELP, type StartOptions, startFailure, startOptions } from './start-options.ts';

/** Until the simulated robot has registered its services; it takes about a second. */
const ROBOT_TIMEOUT_MS = 20_000;
/** How long the robot has to leave the bus; it takes some milliseconds. */
const ROBOT_GRACE_MS = 2000;

/** Resolves when it runs; it ends the process when it cannot. */
export async function startConsole(given: readonly string[]): Promise<void> {
  if (given.includes('--help') || given.includes('-h')) {
    process.stdout.write(HELP);
    return;
  }
  let options: StartOptions | undefined;
  try {
    options = startOptions(given);
    await start(options);
  } catch (error) {
    process.stderr.write(`${startFailure(error, options?.address)}\n`);
    process.exit(1);
  }
}

async function start(options: StartOptions): Promise<void> {
  const invocation = readConfig({
    args: options.args,
    env: process.env,
    readFile: (path) => readFileSync(path, 'utf8'),
    newToken: () => randomBytes(32).toString('base64url'),
  });
  if (invocation.kind === 'version') process.stdout.write(`${agentVersion()}\n`);
  if (invocation.kind !== 'run') return;
  const config = { ...invocation.config, web: invocation.config.web ?? (await ensureDemo()) };
  const agent = await startAgent(config, {
    logger: createLogger((line) => process.stderr.write(line), config.log),
    clock: systemClock,
  });
  const robot = options.isReal ? undefined : startRobot(agent);
  endCleanly(agent, robot);
  if (robot !== undefined) await robotReady(agent, robot);
  for (const url of agent.qiUrls)
    process.stderr.write(
      `qi programs come in at ${url}${config.isQiOpen === true ? '' : ', with the token as auth_token'}\n`,
    );
  process.stderr.write(agent.trustText);
  process.stdout.write(`${agent.url}\n`);
}

/** The robot ends by itself when this process is gone, however that comes: it sees the end of the IPC. */
function startRobot(agent: Agent): ChildProcess {
  const robot = spawn(process.execPath, [join(root, 'simulated-robot/main.ts'), '--bus', agent.busUrl], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  robot.on('exit', (code, signal) => {
    if (signal === 'SIGINT' || (signal === null && code === 0)) return;
    const how = signal === null ? `with code ${code}` : `by ${signal}`;
    process.stderr.write(`The simulated robot ended ${how}. The console stays; start again for a robot.\n`);
  });
  return robot;
}

/** Resolves when the services to drive by are there, or when it takes too long: the console then tells what is missing. */
async function robotReady(agent: Agent, robot: ChildProcess): Promise<void> {
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
    robot.once('exit', done);
    look();
  });
}

function endCleanly(agent: Agent, robot: ChildProcess | undefined): void {
  let isEnding = false;
  const end = async (): Promise<void> => {
    if (isEnding) return;
    isEnding = true;
    if (robot !== undefined) await endRobot(robot);
    await agent.close().catch((error: unknown) => {
      if (isQiwayError(error)) process.stderr.write(`${error.message}\n`);
    });
    process.exit(0);
  };
  for (const name of ENDING) process.removeAllListeners(name).on(name, () => void end());
}

/** Asks it to leave the bus, and does not wait for ever. */
async function endRobot(robot: ChildProcess): Promise<void> {
  robot.removeAllListeners('exit');
  if (robot.exitCode !== null || robot.signalCode !== null) return;
  const ended = once(robot, 'exit');
  robot.kill('SIGTERM');
  const timer = setTimeout(() => robot.kill('SIGKILL'), ROBOT_GRACE_MS);
  await ended;
  clearTimeout(timer);
}
