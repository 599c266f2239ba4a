// The addresses of the agent put together: what sessions are told, and what the local network is. Knows no sessions.
import { hostname, networkInterfaces } from 'node:os';
import type { Clock } from '@qiway/protocol/clock';
import { isWildcard, type ListenAddress } from '../address.ts';
import type { Logger } from '../logger.ts';
import { parseEndpoint } from '../qi/endpoints.ts';
import type { ListInterfaces } from '../qi/interfaces.ts';
import type { Advertised, AdvertisedService } from './advertised.ts';
import { Advertiser } from './advertiser.ts';
import { followLinkUrls, hostOf, isBeyondLoopback, LINK_PATH, linkUrl } from './link-urls.ts';

export interface AgentAddressesOptions {
  /** Where the HTTP server listens: host as configured, port as given by the system. */
  readonly listen: ListenAddress;
  /** Where qi programs come in, with real ports. */
  readonly qiUrls: readonly string[];
  readonly robotId: string;
  /** Default: the computer's. */
  readonly name?: string | undefined;
  /** By mDNS. Default true; nothing is advertised of a port on loopback. */
  readonly isAnnounced?: boolean | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly list?: ListInterfaces;
  /** The port speaks TLS, too. */
  readonly tls?: AddressedTls | undefined;
  /** Other URLs lead to the agent now. */
  readonly onChange: (urls: readonly string[]) => void;
}

/** What a certificate means for addresses. */
export interface AddressedTls {
  /** How people call the agent, if its certificate is for a domain. */
  readonly domains: readonly string[];
  /** Does the certificate stand for this name or address? */
  standsFor(host: string): boolean;
}

export interface AgentAddresses {
  /** URLs of links, what appeared last first; the name on the local network behind; what TLS can be used for before all others. */
  readonly urls: readonly string[];
  /** `NAME.local` once it is announced. */
  readonly localNames: readonly string[];
  /** Says goodbye to the local network. Idempotent. */
  close(): Promise<void>;
}

export function openAddresses(options: AgentAddressesOptions): AgentAddresses {
  const { listen, qiUrls, robotId, isAnnounced = true, clock, logger, list, tls, onChange } = options;
  const name = options.name ?? ownName();
  const isAdvertised = isAnnounced && isBeyondLoopback(listen.host);
  const services = advertisedServices({ listen, qiUrls, robotId, tls });
  /** Kept while the addresses change: the name stays as a rule. */
  let host: string | undefined;
  const all = (): readonly string[] => {
    const plain = host === undefined ? urls.now : [...urls.now, linkUrl(`${host}.local`, listen.port)];
    return tls === undefined ? plain : [...secureUrls(plain, { tls, port: listen.port }), ...plain];
  };
  const onHost = (now: string): void => {
    if (now === host) return;
    host = now;
    onChange(all());
  };
  const advertiser = isAdvertised ? new Advertiser({ clock, logger, onHost }) : undefined;
  const advertise = (now: readonly string[]): void =>
    void advertiser?.advertise(advertisedAt(now, { name, host: listen.host, services }));
  const urls = followLinkUrls(listen, {
    clock,
    list,
    onChange: (now) => {
      logger.info('the addresses of this machine changed', { urls: now.join(' ') });
      onChange(all());
      advertise(now);
    },
  });
  advertise(urls.now);
  let closing: Promise<void> | undefined;
  return {
    get urls() {
      return all();
    },
    get localNames() {
      return host === undefined ? [] : [`${host}.local`];
    },
    close: () => {
      urls.stop();
      closing ??= advertiser?.advertise(undefined) ?? Promise.resolve();
      return closing;
    },
  };
}

/** The computer's name as one label of DNS (RFC 1123). */
function ownName(): string {
  const [label = ''] = hostname().toLowerCase().split('.');
  const clean = label.replaceAll(/[^a-z0-9-]/g, '-').replaceAll(/^-+|-+$/g, '');
  return clean === '' || clean === 'localhost' ? 'robot' : clean.slice(0, 63);
}

/** Clients that do not trust the certificate use the others: links are sealed all the same. */
function secureUrls(
  plain: readonly string[],
  { tls, port }: { readonly tls: AddressedTls; readonly port: number },
): readonly string[] {
  const covered = plain.filter((url) => tls.standsFor(hostOf(url)));
  const domains = tls.domains.map((name) => linkUrl(name, port));
  return [...new Set([...covered, ...domains])].map((url) => url.replace(/^ws:/, 'wss:'));
}

type Services = Pick<AgentAddressesOptions, 'listen' | 'qiUrls' | 'robotId' | 'tls'>;

function advertisedServices({ listen, qiUrls, robotId, tls }: Services): readonly AdvertisedService[] {
  const services: AdvertisedService[] = [
    {
      type: 'qiway',
      port: listen.port,
      txt: { id: robotId, path: LINK_PATH, v: '2', ...(tls === undefined ? {} : { tls: '1' }) },
    },
  ];
  const qi = qiUrls.map((url) => parseEndpoint(url)).find(({ host }) => isBeyondLoopback(host));
  if (qi !== undefined) services.push({ type: 'naoqi', port: qi.port, txt: { scheme: qi.scheme } });
  return services;
}

/** Undefined while no other computer reaches this one. */
function advertisedAt(
  urls: readonly string[],
  { name, host, services }: Pick<Advertised, 'name' | 'services'> & { readonly host: string },
): Advertised | undefined {
  const addresses = urls.map(hostOf).filter(isBeyondLoopback);
  const interfaces = Object.entries(networkInterfaces())
    .filter(([, entries]) => entries?.some(({ address }) => addresses.includes(address)))
    .map(([each]) => each);
  if (interfaces.length === 0) return undefined;
  return {
    name,
    interfaces,
    services,
    hasIpv6: host.includes(':'),
    ...(isWildcard(host) ? {} : { address: addresses[0] ?? host }),
  };
}
