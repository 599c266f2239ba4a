// Our sides: the agent as it is, being the service directory, and an echo service that joins its bus over TCP. Clients come
// by the door for web programs (sealed or not), or by the one for qi programs.
import { once } from 'node:events';
import { createServer } from 'node:net';
import { type Process, startProcess } from './processes.ts';
import { profileArguments, type Side, type SideOptions } from './side.ts';

const agent = '../robot-agent/main.ts';
/** What the agent prints: its URL with the token. */
const line = /(http:\/\/\S+)/;

/** An agent beside which services join its bus. */
export interface Agent {
  readonly process: Process;
  /** What clients dial. */
  readonly url: string;
  /** Where services join. */
  readonly bus: string;
}

/** @param profileName of the CPU profile's file, where one is wanted */
export async function startAgent(
  args: readonly string[],
  { profile, profileName = 'agent' }: { readonly profile?: string | undefined; readonly profileName?: string } = {},
): Promise<Agent> {
  const bus = await freeUrl();
  const all = ['--listen', '127.0.0.1:0', '--no-mdns', '--bus-listen', bus, '--log', 'warn', ...args];
  const process = await startProcess(agent, all, { line, nodeArguments: profileArguments(profile, profileName) });
  return { process, url: process.url, bus };
}

export async function startQiway(
  name: 'qiway' | 'qiway-sealed' | 'qiway-worker',
  { origin, profile }: SideOptions,
): Promise<Side> {
  const allowed = origin === undefined ? [] : ['--allow-origin', origin];
  const sealed = name === 'qiway-sealed' ? ['--seal'] : [];
  const { process: gateway, url, bus } = await startAgent([...allowed, ...sealed], { profile, profileName: name });
  const nodeArguments = profileArguments(profile, `${name}-service`);
  const service = await startProcess('./echo-service.ts', [bus], { nodeArguments });
  return { name, url, gateway, service };
}

export async function startQiDoor(options: SideOptions): Promise<Side> {
  const door = await freeUrl();
  const { process: gateway, bus } = await startAgent(['--qi-listen', door], {
    profile: options.profile,
    profileName: 'qi-door',
  });
  const nodeArguments = profileArguments(options.profile, 'qi-door-service');
  const service = await startProcess('./echo-service.ts', [bus], { nodeArguments });
  return { name: 'qi-door', url: `${door}${new URL(gateway.url).hash}`, gateway, service };
}

/** The agent prints the URL of its door for web programs only: so qi sockets get ports chosen here. */
async function freeUrl(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('there is no free port');
  return `tcp://127.0.0.1:${address.port}`;
}
