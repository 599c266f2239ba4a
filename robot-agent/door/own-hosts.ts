// The names and addresses of this machine, asked anew now and then, since robots change networks.
import { hostname, networkInterfaces } from 'node:os';
import type { Clock } from '@qiway/protocol/clock';

/** How long an answer of the system is believed: clients dial a new address soon after it was announced. */
const FRESH_MS = 200;

/** @param announced names under which the agent is announced beside those of the system */
export function createOwnHosts(clock: Clock, announced: () => readonly string[] = () => []): () => readonly string[] {
  let hosts: readonly string[] = [];
  let askedAt = Number.NEGATIVE_INFINITY;
  return () => {
    if (clock.now() - askedAt > FRESH_MS) {
      hosts = [...askSystem(), ...announced().map((name) => name.toLowerCase())];
      askedAt = clock.now();
    }
    return hosts;
  };
}

function askSystem(): readonly string[] {
  const addresses = Object.values(networkInterfaces()).flatMap((entries) => entries ?? []);
  const [name = ''] = hostname().toLowerCase().split('.');
  return [
    '127.0.0.1',
    '::1',
    ...addresses.map((entry) => entry.address.toLowerCase()),
    hostname().toLowerCase(),
    name,
    `${name}.local`,
  ].filter((host) => host !== '');
}

/** An address of this machine that other computers can reach, if it has one. */
export function outsideAddress(): string | undefined {
  const addresses = Object.values(networkInterfaces()).flatMap((entries) => entries ?? []);
  return addresses.find((entry) => !entry.internal && entry.family === 'IPv4')?.address;
}
