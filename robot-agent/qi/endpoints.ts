// qi URLs: reading them, and which of a service's endpoints a client takes. Pure.
import type { ServiceInfo } from '@qiway/protocol/bus/bus';
import { QiwayError } from '@qiway/protocol/errors';
import { isLoopback } from '../address.ts';

/** What is spoken at a port: messages as they are, within TLS, or within TLS that asks both sides for a certificate. */
export type Scheme = 'tcp' | 'tcps' | 'tcpsm';

/** Where a socket can be opened, and what is spoken there. */
export interface QiAddress {
  readonly scheme: Scheme;
  /** A name or an IP address, without brackets. */
  readonly host: string;
  readonly port: number;
}

/** Port of a service directory on every robot. */
const DIRECTORY_PORT = 9559;
const MAX_PORT = 65_535;

/**
 * Reads `tcp://host[:port]`, and the same with `tcps` or `tcpsm`; the port is 9559 unless given.
 * @param use `listen` also takes port 0: any free one
 * @throws `invalid-argument` saying what is wrong with it
 */
export function parseEndpoint(url: string, use: 'dial' | 'listen' = 'dial'): QiAddress {
  const scheme = /^([a-z]+):\/\//i.exec(url)?.[1]?.toLowerCase();
  if (scheme === undefined) throw invalid(url, 'it must begin with a scheme, such as tcp://127.0.0.1:9559');
  if (!isScheme(scheme)) throw invalid(url, `the scheme is ${scheme}, and must be tcp, tcps or tcpsm`);
  const rest = url.slice(`${scheme}://`.length);
  const parts = /^(\[[^\]]*\]|[^:[\]]*)(?::([^:]*))?$/s.exec(rest);
  if (parts === null) throw invalid(url, 'an IPv6 address must stand in brackets, as in tcp://[::1]:9559');
  const [, host = '', portText] = parts;
  if (host === '' || host === '[]') throw invalid(url, 'the host is missing');
  if (!/^(\[[0-9a-f:.%a-z]+\]|[\p{L}\p{N}._-]+)$/iu.test(host))
    throw invalid(url, `"${host}" is not a host: nothing but a host and a port may follow the scheme`);
  if (/^[\d.]+$/.test(host) && !isIpv4(host)) throw invalid(url, `"${host}" is not an IPv4 address`);
  if (portText === undefined) return { scheme, host: bare(host), port: DIRECTORY_PORT };
  const least = use === 'listen' ? 0 : 1;
  const port = Number(portText);
  if (!/^\d{1,5}$/.test(portText) || port < least || port > MAX_PORT)
    throw invalid(url, `the port is "${portText}", and must be a number from ${least} to ${MAX_PORT}`);
  return { scheme, host: bare(host), port };
}

export function formatEndpoint({ scheme, host, port }: QiAddress): string {
  return host.includes(':') ? `${scheme}://[${host}]:${port}` : `${scheme}://${host}:${port}`;
}

/** An IPv4 address in IPv6 clothes is shown as itself. */
export function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/, '');
}

export interface CandidateOptions {
  /** What this client can speak. Default: tcp and tcps; tcpsm takes a certificate of its own. */
  readonly schemes?: readonly Scheme[];
  /** Leaves plain endpoints out where there is an encrypted one. Default false: libqi takes what answers first. */
  readonly prefersTls?: boolean;
}

/**
 * Which of a service's endpoints to try, all at once: on the same machine loopback alone if there is any, from
 * elsewhere everything but loopback. What cannot be dialled is left out.
 * @throws `endpoint-unreachable` when nothing is left
 */
export function candidates(
  info: ServiceInfo,
  machineId: string,
  { schemes = ['tcp', 'tcps'], prefersTls = false }: CandidateOptions = {},
): QiAddress[] {
  const absolute = info.endpoints.flatMap((endpoint) => {
    try {
      return [parseEndpoint(endpoint)];
    } catch {
      return [];
    }
  });
  const spoken = absolute.filter(({ scheme }) => schemes.includes(scheme));
  const loopback = spoken.filter(({ host }) => isLoopback(host));
  const others = spoken.filter(({ host }) => !isLoopback(host));
  const isSameMachine = info.machineId === machineId;
  const chosen = isSameMachine && loopback.length > 0 ? loopback : others;
  const encrypted = prefersTls ? chosen.filter(({ scheme }) => scheme !== 'tcp') : [];
  if (encrypted.length > 0) return encrypted;
  if (chosen.length > 0) return chosen;
  const hint =
    loopback.length > 0
      ? 'It listens on the loopback address of another machine: let it listen on a network address.'
      : absolute.length > 0
        ? `This client speaks ${schemes.join(' and ')}: tcpsm needs a certificate of its own (cert and key of its TLS options).`
        : 'It announces no tcp://, tcps:// or tcpsm:// endpoint.';
  throw new QiwayError('endpoint-unreachable', `No reachable endpoint was found for service ${info.name}. ${hint}`, {
    data: { endpoints: info.endpoints },
  });
}

function isScheme(text: string): text is Scheme {
  return text === 'tcp' || text === 'tcps' || text === 'tcpsm';
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
    data: { expected: 'tcp://host[:port], or tcps, or tcpsm', path: 'url' },
  });
}
