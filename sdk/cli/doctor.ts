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
    'the token is not the one of this agent: another --token, --state or --listen makes another; copy its URL again',
  'robot-identity-mismatch':
    'another robot has this address now, or this one got a new identity (another --state): nothing was sent to it; copy the URL that the robot’s agent prints now',
  'handshake-failed': 'the agent answers and cannot prove who it is: something in between may change what is said',
  'protocol-mismatch': 'the versions of agent and command line differ: update the older of the two',
  'dial-failed':
    'the agent answers HTTP and no WebSocket: a proxy in between may not let WebSockets pass, or the versions differ',
};

/** What happened when nothing answered, by the codes of the system, and what to do about it; the last is anything else. */
const AGENT_ADVICE: readonly { readonly causes: readonly string[]; readonly words: string; readonly advice: string }[] =
  [
    {
      causes: ['ENOTFOUND', 'EAI_AGAIN'],
      words: 'nobody knows the name of',
      advice:
        'is the name written right, and is this computer in the robot’s network? Names that end in .local need mDNS; the robot’s IP address does as well',
    },
    {
      causes: ['ECONNREFUSED', 'ECONNRESET'],
      words: 'nothing listens at',
      advice:
        'the computer is there and no agent: is it running (npx qiway-agent), and is this its port? Beyond its own computer it listens where --listen says so',
    },
    {
      causes: [],
      words: 'nothing answers at',
      advice:
        'is the robot on, is this computer in its network, does a firewall stand between? An agent that hangs answers nothing either',
    },
  ];

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
      advice: ({ code, message }) => {
        if (code !== 'dial-failed')
          return 'another program has this port: is the port right? It is the one of the agent’s --listen';
        return AGENT_ADVICE.find(({ words }) => message.includes(words))?.advice ?? '';
      },
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
    throw unanswered(url, cause);
  });
  const health: unknown = await response.json().catch(() => undefined);
  if (typeof health !== 'object' || health === null || !('bus' in health))
    throw new QiwayError(
      'unsupported',
      `what answers at ${url.host} is no robot agent (${HEALTH_PATH} says ${response.status})`,
    );
  return `answers at ${url.host} (${HEALTH_PATH} says ${response.status})`;
}

/** @param thrown by `fetch`, which hides in its cause what happened */
function unanswered(url: URL, thrown: unknown): QiwayError {
  const { code = '' } = ((thrown as Error).cause ?? {}) as { readonly code?: string };
  const happened = AGENT_ADVICE.find(({ causes }) => causes.includes(code)) ?? AGENT_ADVICE.at(-1);
  return new QiwayError('dial-failed', `${happened?.words} ${url.host}`, { cause: thrown });
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
