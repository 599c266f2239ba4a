// Our sides: the agent as it is, being the service directory, and an echo service that joins its bus over TCP. Clients come
// by the door for web programs, or by the one for qi programs.
import { once } from 'node:events';
import { createServer } from 'node:net';
import { startProcess } from './processes.ts';
import { profileArguments, type Side, type SideOptions } from './side.ts';

const agent = '../robot-agent/main.ts';
/** What the agent prints: its URL with the token. */
const line = /(http:\/\/\S+)/;

export async function startQiway(options: SideOptions): Promise<Side> {
  const bus = await freeUrl();
  const origin = options.origin === undefined ? [] : ['--allow-origin', options.origin];
  const args = ['--listen', '127.0.0.1:0', '--bus-listen', bus, '--log', 'warn', ...origin];
  const gateway = await startProcess(agent, args, { line, nodeArguments: profileArguments(options.profile, 'qiway') });
  const nodeArguments = profileArguments(options.profile, 'qiway-service');
  const service = await startProcess('./echo-service.ts', [bus], { nodeArguments });
  return { name: 'qiway', url: gateway.url, gateway, service };
}

export async function startQiDoor(options: SideOptions): Promise<Side> {
  const bus = await freeUrl();
  const door = await freeUrl();
  const args = ['--listen', '127.0.0.1:0', '--bus-listen', bus, '--qi-listen', door, '--log', 'warn'];
  const gateway = await startProcess(agent, args, {
    line,
    nodeArguments: profileArguments(options.profile, 'qi-door'),
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
