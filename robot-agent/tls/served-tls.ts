// The agent's TLS put together: where the certificate is from, the sockets it is shown at, what is said without it.
import { X509Certificate } from 'node:crypto';
import type { IncomingMessage, Server } from 'node:http';
import { isIP } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Clock } from '@qiway/protocol/clock';
import type { DoorResponse } from '@qiway/protocol/http-door/door-types';
import type { Logger } from '../logger.ts';
import { certificateFiles } from './certificate-files.ts';
import type { Certificates } from './certificates.ts';
import { createInstallPages, fingerprintForPeople } from './install-page.ts';
import { serveTls } from './one-port.ts';
import { answerPlain } from './plain-http.ts';
import type { ServeTls } from './serve-tls.ts';

export interface ServedTlsOptions {
  /** Where an authority of the robot's own is kept; undefined: nowhere. */
  readonly directory: string | undefined;
  /** Of such an authority, for people. */
  readonly authorityName: string;
  /** Names and addresses of this machine, as they are now. */
  readonly hosts: () => readonly string[];
  readonly clock: Clock;
  readonly logger: Logger;
  /** Default: the system's. */
  readonly now?: () => Date;
}

export interface ServedTls {
  /** Devices must be taught to trust it: its fingerprint, `AB:CD:…`. */
  readonly authorityFingerprint: string | undefined;
  /** Names of the certificate that are not this machine's own: with a certificate for a domain, how people call the agent. */
  readonly domains: readonly string[];
  /** Does the certificate stand for this name or address? */
  standsFor(host: string): boolean;
  /** Serves TLS at `server`, which does not listen yet, beside plain HTTP. */
  secure(server: Server): void;
  /** What is not the door's: pages of the authority; requests without TLS that are better made with it. */
  answer(request: IncomingMessage): DoorResponse | undefined;
  /** The addresses of this machine are others; resolves when the certificate stands for them. Never rejects. */
  follow(): Promise<void>;
  close(): void;
}

/** @throws `config-invalid` for a certificate or an authority that cannot be used */
export async function openServedTls(choice: ServeTls, options: ServedTlsOptions): Promise<ServedTls> {
  const certificates = await openCertificates(choice, options);
  const { authority } = certificates;
  const { clock, logger } = options;
  const install = authority === undefined ? () => undefined : createInstallPages(authority);
  let read = { pem: '', leaf: undefined as X509Certificate | undefined };
  const leaf = (): X509Certificate => {
    const { cert } = certificates.shown;
    if (read.leaf === undefined || read.pem !== cert) read = { pem: cert, leaf: new X509Certificate(cert) };
    return read.leaf as X509Certificate;
  };
  let closePort = (): void => {};
  return {
    authorityFingerprint: authority === undefined ? undefined : fingerprintForPeople(authority),
    get domains() {
      return choice.kind === 'self' ? [] : domainsOf(leaf());
    },
    standsFor: (host) => (isIP(host) === 0 ? leaf().checkHost(host) : leaf().checkIP(host)) !== undefined,
    secure: (server) => {
      const onRefused = (reason: string): void => logger.debug('a client gave up on TLS', { reason });
      closePort = serveTls(server, { certificates, clock, onRefused }).close;
    },
    answer: (request) => {
      const { method = 'GET', url = '/', socket, headers } = request;
      const found = install({ method, path: url.split('?')[0] ?? '/' });
      if (found !== undefined || (socket as TLSSocket).encrypted === true) return found;
      return answerPlain({ method, url, host: headers.host ?? '', from: socket.remoteAddress ?? '' });
    },
    follow: () => certificates.follow(),
    close: () => {
      certificates.stop();
      closePort();
    },
  };
}

async function openCertificates(choice: ServeTls, options: ServedTlsOptions): Promise<Certificates> {
  const { clock, logger, directory, authorityName, hosts, now = () => new Date() } = options;
  if (choice.kind === 'files') return certificateFiles({ ...choice, clock, logger, now });
  // What makes certificates is some megabytes that others need not load.
  const { ownAuthority } = await import('./own-authority.ts');
  return ownAuthority({ directory, name: authorityName, hosts, clock, logger, now });
}

/** Without wildcards, which name nothing that one could open. */
function domainsOf({ subjectAltName = '' }: X509Certificate): readonly string[] {
  return [...subjectAltName.matchAll(/DNS:([a-z0-9.-]+)/gi)].map(([, name = '']) => name.toLowerCase());
}
