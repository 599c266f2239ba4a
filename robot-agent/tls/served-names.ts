// Names and addresses that a certificate stands for: which an authority of the robot's own may vouch for, and whether one is
// among those of a certificate. Pure; knows no keys.
import { BlockList, isIP } from 'node:net';

/** RFC 1918, 3927, 1122; RFC 4193, 4291: what is nobody else's on another network. */
const PRIVATE: readonly string[] = [
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '169.254.0.0/16',
  '127.0.0.0/8',
  'fc00::/7',
  'fe80::/10',
  '::1/128',
];

/** What an authority is held to for as long as it lasts. */
export interface Allowed {
  /** Each with everything below it, as RFC 5280 has it. */
  readonly names: readonly string[];
  /** As `10.0.0.0/8`. */
  readonly subnets: readonly string[];
}

/** `.local` is the network's own, a name without dots too; others and public addresses only as they are `present` now. */
export function allowedFor(present: readonly string[]): Allowed {
  const { names, addresses } = sorted(present);
  const outside = addresses.filter((address) => !isWithin(address, PRIVATE));
  return {
    names: [...new Set(['localhost', 'local', ...names.filter((name) => !name.endsWith('.local'))])],
    subnets: [...PRIVATE, ...outside.map((address) => `${address}/${isIP(address) === 4 ? 32 : 128}`)],
  };
}

/** May an authority held to `allowed` vouch for `host`? */
export function isAllowed(host: string, { names, subnets }: Allowed): boolean {
  if (isIP(host) !== 0) return isWithin(host, subnets);
  return names.some((name) => host === name || host.endsWith(`.${name}`));
}

/** What can stand in a certificate, in lower case, each once: addresses of one cable (`fe80::1%eth0`) cannot. */
export function sorted(hosts: readonly string[]): {
  readonly names: readonly string[];
  readonly addresses: readonly string[];
} {
  const all = [...new Set(hosts.map((host) => host.toLowerCase()))];
  return {
    names: all.filter((host) => isIP(host) === 0 && isDnsName(host)),
    addresses: all.filter((host) => isIP(host) !== 0 && !host.includes('%')),
  };
}

/** RFC 1123; an underscore is no host name, whatever DNS says. */
function isDnsName(name: string): boolean {
  return (
    name.length <= 253 && /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(name)
  );
}

function isWithin(address: string, subnets: readonly string[]): boolean {
  const list = new BlockList();
  for (const subnet of subnets) {
    const [network = '', prefix] = subnet.split('/');
    list.addSubnet(network, Number(prefix), family(network));
  }
  return list.check(address, family(address));
}

function family(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 4 ? 'ipv4' : 'ipv6';
}
