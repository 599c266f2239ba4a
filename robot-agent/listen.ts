// Listens on an address, and says in words why that does not work. Knows no requests.
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { QiwayError } from '@qiway/protocol/errors';
import { formatAddress, isWildcard, type ListenAddress } from './address.ts';
import { outsideAddress } from './door/own-hosts.ts';

/** @returns the address as clients can reach it. @throws `listen-failed` */
export async function listen(server: Server, { host, port }: ListenAddress): Promise<ListenAddress> {
  const address = formatAddress({ host, port });
  try {
    server.listen({ host, port });
    await once(server, 'listening');
  } catch (cause) {
    throw new QiwayError(
      'listen-failed',
      `The agent cannot listen on ${address}: ${reasonOf(cause, { host, port })}.`,
      {
        data: { address },
        cause,
      },
    );
  }
  const { port: given } = server.address() as AddressInfo;
  return { host: isWildcard(host) ? (outsideAddress() ?? '127.0.0.1') : host, port: given };
}

function reasonOf(cause: unknown, { host, port }: ListenAddress): string {
  switch ((cause as { code?: string }).code) {
    case 'EADDRINUSE':
      return `port ${port} is in use; choose another with --listen, or port 0 for any free one`;
    case 'EACCES':
      return `port ${port} needs rights that this user has not`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `${host} is not an address of this machine`;
    default:
      return String(cause);
  }
}
