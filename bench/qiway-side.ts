// Our side: the agent as it is, being the service directory, and an echo service that joins its bus over TCP.
import { once } from 'node:events';
import { createServer } from 'node:net';
import { startProcess } from './processes.ts';
import { profileArguments, type Side, type SideOptions } from './side.ts';

export async function startQiway(options: SideOptions): Promise<Side> {
  const bus = `tcp://127.0.0.1:${await freePort()}`;
  const origin = options.origin === undefined ? [] : ['--allow-origin', options.origin];
  const gateway = await startProcess(
    '../robot-agent/main.ts',
    ['--listen', '127.0.0.1:0', '--bus-listen', bus, '--log', 'warn', ...origin],
    { line: /(http:\/\/\S+)/, nodeArguments: profileArguments(options.profile, 'qiway') },
  );
  const service = await startProcess('./echo-service.ts', [bus]);
  return { name: 'qiway', url: gateway.url, gateway, service };
}

/** The agent says the URL of its door, not that of its bus: so the bus gets a port chosen here. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('there is no free port');
  return address.port;
}
