// qi URLs: reading them, and which of a service's endpoints a client takes. Pure but for the list of own interfaces.
import { networkInterfaces } from 'node:os';
import type { ServiceInfo } from '@qiway/protocol/bus/bus';
import { QiwayError } from '@qiway/protocol/errors';
import { isLoopback } from '../address.ts';

/** Where a socket can be opened. */
export interface TcpAddress {
  readonly host: string;
  readonly port: number;
}

/** Port of a service directory on every robot. */
export const DIRECTORY_PORT = 9559;
const MAX_PORT = 65_535;

/**
 * Reads `tcp://host[:port]`; the port is 9559 unless given.
 * @param use `listen` also takes port 0: any free one
 * @throws `invalid-argument` saying what is wrong with it, `unsupported` for tcps and tcpsm
 */
export function parseEndpoint(url: string, use: 'dial' | 'listen' = 'dial'): TcpAddress {
  const scheme = /^([a-z]+):\/\//i.exec(url)?.[1]?.toLowerCase();
  if (scheme === undefined) throw invalid(url, 'it must begin with a scheme, such as tcp://127.0.0.1:9559');
  if (scheme === 'tcps' || scheme === 'tcpsm')
    throw new QiwayError('unsupported', `"${url}": ${scheme} (TLS) is not supported yet. Use a tcp:// URL.`, {
      data: { what: scheme },
    });
  if (scheme !== 'tcp') throw invalid(url, `the scheme is ${scheme}, and must be tcp`);
  const rest = url.slice('tcp://'.length);
  const parts = /^(\[[^\]]*\]|[^:[\]]*)(?::([^:]*))?$/s.exec(rest);
  if (parts === null) throw invalid(url, 'an IPv6 address must stand in brackets, as in tcp://[::1]:9559');
  const [, host = '', portText] = parts;
  if (host === '' || host === '[]') throw invalid(url, 'the host is missing');
  if (!/^(\[[0-9a-f:.%a-z]+\]|[\p{L}\p{N}._-]+)$/iu.test(host))
    throw invalid(url, `"${host}" is not a host: nothing but a host and a port may follow the scheme`);
  if (/^[\d.]+$/.test(host) && !isIpv4(host)) throw invalid(url, `"${host}" is not an IPv4 address`);
  if (portText === undefined) return { host: bare(host), port: DIRECTORY_PORT };
  const least = use === 'listen' ? 0 : 1;
  const port = Number(portText);
  if (!/^\d{1,5}$/.test(portText) || port < least || port > MAX_PORT)
    throw invalid(url, `the port is "${portText}", and must be a number from ${least} to ${MAX_PORT}`);
  return { host: bare(host), port };
}

export function formatEndpoint({ host, port }: TcpAddress): string {
  return host.includes(':') ? `tcp://[${host}]:${port}` : `tcp://${host}:${port}`;
}

/** An end of a socket as an endpoint; an IPv4 address in IPv6 clothes is shown as itself. */
export function endpointOf(address: string, port: number): string {
  return formatEndpoint({ host: plainAddress(address), port });
}

export function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/, '');
}

/** What others are told of a listening address: one endpoint per interface for 0.0.0.0, loopback included. */
export function announcedEndpoints({ host, port }: TcpAddress): string[] {
  if (host !== '0.0.0.0' && host !== '::') return [formatEndpoint({ host, port })];
  const addresses = Object.values(networkInterfaces()).flatMap((entries) => entries ?? []);
  const usable = addresses.filter(({ family }) => family === 'IPv4').map(({ address }) => address);
  return [...new Set(usable)].map((address) => formatEndpoint({ host: address, port }));
}

/**
 * Which of a service's endpoints to try, all at once: on the same machine loopback alone if there is any, from
 * elsewhere everything but loopback. What cannot be dialled (relative ones, TLS) is left out.
 * @throws `endpoint-unreachable` when nothing is left
 */
export function candidates(info: ServiceInfo, machineId: string): TcpAddress[] {
  const absolute = info.endpoints.flatMap((endpoint) => {
    try {
      return [parseEndpoint(endpoint)];
    } catch {
      return [];
    }
  });
  const loopback = absolute.filter(({ host }) => isLoopback(host));
  const others = absolute.filter(({ host }) => !isLoopback(host));
  const isSameMachine = info.machineId === machineId;
  const chosen = isSameMachine && loopback.length > 0 ? loopback : others;
  if (chosen.length > 0) return chosen;
  const hint =
    loopback.length > 0
      ? 'It listens on the loopback address of another machine: let it listen on a network address.'
      : 'It announces no tcp:// endpoint.';
  throw new QiwayError('endpoint-unreachable', `No reachable endpoint was found for service ${info.name}. ${hint}`, {
    data: { endpoints: info.endpoints },
  });
}

function isIpv4(host: string): boolean {
  const bytes = host.split('.');
  return bytes.length === 4 && bytes.every((byte) => /^\d{1,3}$/.test(byte) && Number(byte) <= 255);
}

function bare(host: string): string {
  return host.startsWith('[') ? host.slice(1, -1) : host;
}

function invalid(url: string, reason: string): QiwayError {
  return new QiwayError('invalid-argument', `"${url}" is not a qi URL: ${reason}.`, {
    data: { expected: 'tcp://host[:port]', path: 'url' },
  });
}
