// What tests of TLS share: a server at one port, requests that trust one authority, a log that is kept.
import type { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type RequestOptions, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { systemClock } from '../../protocol/transport/system-clock.ts';
import type { Logger } from '../../robot-agent/logger.ts';
import type { Certificates } from '../../robot-agent/tls/certificates.ts';
import { serveTls } from '../../robot-agent/tls/one-port.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
}

/** A GET over TLS that believes `ca` alone. @throws what the TLS library says */
export function askSecurely(url: string, options: RequestOptions & { readonly ca: string }): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { agent: false, ...options }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
    });
    asked.on('error', reject);
    asked.end();
  });
}

/** What a port shows to who believes anybody. */
export async function shownAt(port: number, host = '127.0.0.1'): Promise<X509Certificate> {
  const socket: TLSSocket = connect({ port, host, rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const certificate = socket.getPeerX509Certificate();
  socket.destroy();
  if (certificate === undefined) throw new Error('no certificate was shown');
  return certificate;
}

export interface KeptLog extends Logger {
  readonly lines: string[];
}

export function keptLog(): KeptLog {
  const lines: string[] = [];
  const at =
    (level: string) =>
    (sentence: string, data: object = {}): void =>
      void lines.push(`${level} ${sentence} ${JSON.stringify(data)}`);
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

export interface SecurePort {
  readonly port: number;
  close(): Promise<void>;
}

/** Says of each request how it came, and what its body holds. */
export async function securePort(certificates: Certificates, timeoutMs = 10_000): Promise<SecurePort> {
  const server = createServer((asked, response) => {
    let bytes = 0;
    asked.on('data', (chunk: Buffer) => (bytes += chunk.length));
    asked.on('end', () => {
      const isSecure = (asked.socket as TLSSocket).encrypted === true;
      response.end(`${isSecure ? 'secure' : 'plain'} ${asked.url} ${bytes}\n`);
    });
  });
  const one = serveTls(server, { certificates, clock: systemClock, timeoutMs });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      one.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
