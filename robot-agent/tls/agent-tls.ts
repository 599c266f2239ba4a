// TLS as an agent has it: for the names and addresses of this machine, told at the URL that is printed. Knows the configuration.
import type { Clock } from '@qiway/protocol/clock';
import { formatAddress, isWildcard, type ListenAddress } from '../address.ts';
import type { AgentConfig } from '../config.ts';
import { createOwnHosts } from '../door/own-hosts.ts';
import type { Identity } from '../identity/identity.ts';
import type { Logger } from '../logger.ts';
import { openServedTls, type ServedTls } from './served-tls.ts';

export interface AgentTlsParts {
  readonly identity: Pick<Identity, 'directory' | 'robotId'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** On the local network. */
  readonly localNames: () => readonly string[];
}

/** Undefined without `--tls`. @throws `config-invalid` */
export async function openAgentTls(config: AgentConfig, parts: AgentTlsParts): Promise<ServedTls | undefined> {
  const { serveTls, allowHosts, listen, name } = config;
  if (serveTls === undefined) return undefined;
  const { identity, clock, logger, localNames } = parts;
  const { directory, robotId } = identity;
  // Asked anew each time: an address that appeared just now must not be missing.
  const own = (): readonly string[] => createOwnHosts(clock, localNames)();
  const given = ['localhost', ...allowHosts, ...(isWildcard(listen.host) ? [] : [listen.host])];
  const hosts = (): readonly string[] => [...given, ...own(), ...(name === undefined ? [] : [`${name}.local`])];
  const robot = name ?? own().find((host) => /^[a-z][a-z0-9-]*$/i.test(host)) ?? 'robot';
  // Several robots of the same name are told apart by who they are.
  const authorityName = `Qiway robot ${robot} (${robotId.slice(0, 8)})`;
  return openServedTls(serveTls, { directory, authorityName, hosts, clock, logger });
}

/** `https://host:port` of an agent that listens at `address`, with a host that the certificate stands for. */
export function secureOrigin(
  tls: ServedTls,
  { address, logger }: { readonly address: ListenAddress; readonly logger: Logger },
): string {
  const { host, port } = address;
  const [domain] = tls.domains;
  if (tls.standsFor(host)) return `https://${formatAddress(address)}`;
  if (domain !== undefined) return `https://${domain}:${port}`;
  logger.warn('the certificate does not stand for the address of this agent: browsers will refuse it', { host });
  return `https://${formatAddress(address)}`;
}
