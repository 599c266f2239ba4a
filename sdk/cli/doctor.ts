// `qiway doctor`: is the robot usable from here, and if not, what to do. Command line.
import { QiwayError } from '@qiway/protocol/errors';
import type { Robot } from '../index.ts';
import { diagnose, printStep, type Step } from './diagnosis.ts';
import { connectLimit, describe, urlOf } from './robot-access.ts';
import { jsonText, type Surroundings } from './terminal.ts';
import { EXIT, type Invocation } from './usage.ts';

/** Calls whose median is the round trip. */
const ROUND_TRIPS = 21;
/** The bus's own service. */
const DIRECTORY_NAME = 'ServiceDirectory';
/** Where the agent tells that it is alive. */
const HEALTH_PATH = '/healthz';

/** What to do when there is no session, by the code of the failure. */
const SESSION_ADVICE: Readonly<Record<string, string>> = {
  unauthorized:
    'the token is not the one of this agent: it prints a new one at each start unless --token or --state is given; copy its URL again',
  'robot-identity-mismatch':
    'another robot has this address now, or this one got a new identity (another --state): nothing was sent to it; copy the URL that the robot’s agent prints now',
  'handshake-failed': 'the agent answers and cannot prove who it is: something in between may change what is said',
  'protocol-mismatch': 'the versions of agent and command line differ: update the older of the two',
  'dial-failed':
    'the agent answers HTTP and no WebSocket: a proxy in between may not let WebSockets pass, or the versions differ',
};

/** The exit code. */
export async function doctor(invocation: Invocation, { connect, terminal }: Surroundings): Promise<number> {
  let robot: Robot | undefined;
  const opened = (): Robot => {
    if (robot === undefined) throw new QiwayError('internal', 'there is no robot');
    return robot;
  };
  const steps: readonly Step[] = [
    {
      name: 'URL',
      run: () => {
        const url = agentUrl(invocation);
        return `${url.protocol}//${url.host}`;
      },
      advice: () =>
        'give --url, or set QIWAY_URL, to the whole line that the agent printed: http://127.0.0.1:8080/#token=…',
    },
    {
      name: 'agent',
      run: () => askHealth(agentUrl(invocation), invocation.timeoutMs),
      advice: () =>
        'is the agent running (npx qiway-agent), is the address right, does a firewall stand between? Ports of the robot: see the agent’s --listen',
    },
    {
      name: 'session',
      run: async () => {
        const { timeoutMs } = invocation;
        robot = await connect(urlOf(invocation), { ...connectLimit(timeoutMs), timeoutMs });
        const { robotId, isSealed } = robot.status;
        return `the agent accepted the token; it is robot ${robotId}, and what is said is ${isSealed ? 'sealed' : 'not sealed on this computer'}`;
      },
      advice: ({ code }) => SESSION_ADVICE[code] ?? SESSION_ADVICE['dial-failed'] ?? '',
    },
    {
      name: 'bus',
      run: () => checkBus(opened()),
      advice: () =>
        'the agent cannot reach the robot’s service directory: is naoqi (or the simulated robot) running, and is the agent’s --bus right? Its log says why it cannot join; it goes on trying',
    },
    {
      name: 'services',
      run: async () => {
        const names = (await opened().services()).map(({ name }) => name).filter((name) => name !== DIRECTORY_NAME);
        if (names.length === 0) throw new QiwayError('service-gone', 'no robot offers services on the bus');
        return `${names.length}: ${names.join(', ')}`;
      },
      advice: ({ code }) =>
        code === 'service-gone'
          ? 'start the robot’s software (or the simulated robot), or give the agent the --bus of a robot; an agent without --bus waits at its --bus-listen'
          : 'the bus is there and does not answer: see the log of the agent',
      isOptional: true,
    },
    {
      name: 'round trip',
      run: () => roundTrip(opened()),
      advice: () => 'calls do not come back: see the log of the agent',
    },
  ];
  const reports = await diagnose(steps, (step) => {
    if (!invocation.json) terminal.out(printStep(step));
  });
  if (invocation.json) terminal.out(jsonText(reports, true));
  await robot?.close();
  return reports.every(({ state }) => state === 'ok') ? EXIT.ok : EXIT.failed;
}

/** The URL that HTTP goes to. @throws UsageError, `invalid-argument` */
function agentUrl(invocation: Invocation): URL {
  const text = urlOf(invocation);
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const protocols: Readonly<Record<string, string>> = {
    'http:': 'http:',
    'https:': 'https:',
    'ws:': 'http:',
    'wss:': 'https:',
  };
  const protocol = url === undefined ? undefined : protocols[url.protocol];
  if (url === undefined || protocol === undefined)
    throw new QiwayError('invalid-argument', `${text} is no http or https URL`);
  return new URL(`${protocol}//${url.host}/`);
}

async function askHealth(url: URL, timeoutMs: number): Promise<string> {
  const signal = timeoutMs === 0 ? {} : { signal: AbortSignal.timeout(timeoutMs) };
  const response = await fetch(new URL(HEALTH_PATH, url), signal).catch((cause: unknown) => {
    throw new QiwayError('dial-failed', `nothing answers at ${url.host}`, { cause });
  });
  await response.body?.cancel();
  return `answers at ${url.host} (${HEALTH_PATH} says ${response.status})`;
}

function checkBus(robot: Robot): string {
  const { bus } = robot.status;
  if (bus !== 'up') throw new QiwayError('bus-down', `the robot’s bus is ${bus ?? 'unknown'}`);
  return 'up';
}

async function roundTrip(robot: Robot): Promise<string> {
  const { remote } = await describe(robot, DIRECTORY_NAME);
  const times: number[] = [];
  for (let count = 0; count < ROUND_TRIPS; count += 1) {
    const start = performance.now();
    await remote['machineId']?.();
    times.push(performance.now() - start);
  }
  const sorted = times.sort((a, b) => a - b);
  return `${(sorted[Math.floor(ROUND_TRIPS / 2)] ?? 0).toFixed(1)} ms (median of ${ROUND_TRIPS} calls)`;
}
