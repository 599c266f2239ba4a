// The client's side of TLS: what it shows, and whether it believes what it is shown.
import { isIP } from 'node:net';
import {
  type ConnectionOptions,
  createSecureContext,
  getCACertificates,
  type SecureContext,
  type TLSSocket,
} from 'node:tls';
import { QiwayError } from '@qiway/protocol/errors';
import { formatEndpoint, type QiAddress, type Scheme } from './endpoints.ts';
import { checkClientTls, fingerprintOf, readFingerprint, type TlsClientOptions } from './tls-options.ts';
import { TLS_VERSIONS } from './tls-server.ts';

/** The TLS of one client, for all it dials. */
export class TlsClient {
  readonly #options: TlsClientOptions;
  readonly #pins: readonly string[];
  #context: SecureContext | undefined;

  /** @throws `config-invalid` naming what is wrong, for a client that dials `scheme` first */
  constructor(options: TlsClientOptions, scheme: Scheme, now: Date) {
    checkClientTls(scheme, options, now);
    this.#options = options;
    this.#pins = (options.fingerprints ?? []).map(readFingerprint);
  }

  /** What can be dialled. */
  get schemes(): readonly Scheme[] {
    return this.#options.cert === undefined ? ['tcp', 'tcps'] : ['tcp', 'tcps', 'tcpsm'];
  }

  /** For `tls.connect`, which is to judge nothing itself: `judge` does. */
  connectOptions({ host, port }: QiAddress): ConnectionOptions {
    this.#context ??= this.#makeContext();
    return {
      host,
      port,
      // RFC 6066: addresses are no server names.
      ...(isIP(host) === 0 ? { servername: host } : {}),
      secureContext: this.#context,
      rejectUnauthorized: false,
    };
  }

  /** Why the server on a socket that is secure is not believed; undefined: it is. */
  judge(socket: TLSSocket, address: QiAddress): QiwayError | undefined {
    const url = formatEndpoint(address);
    const certificate = socket.getPeerX509Certificate();
    if (certificate === undefined) return new QiwayError('unauthorized', `${url} shows no certificate.`);
    const seen = fingerprintOf(certificate);
    if (this.#pins.length > 0) {
      if (this.#pins.includes(seen)) return undefined;
      return new QiwayError(
        'unauthorized',
        `${url} shows the certificate ${seen}, and pinned is ${this.#pins.join(' or ')}: it is another robot, or somebody poses as it. If the robot has a new certificate, pin that.`,
      );
    }
    if (this.#options.isUnverified === true || socket.authorized) return undefined;
    // A string in fact, whatever its type says.
    const reason = String(socket.authorizationError);
    if (reason === 'ERR_TLS_CERT_ALTNAME_INVALID')
      return new QiwayError(
        'unauthorized',
        `${url} shows a certificate made for ${certificate.subjectAltName ?? certificate.subject}, not for ${address.host}: ${seen}. Dial that name, or if it is your robot's, pin this fingerprint.`,
      );
    return new QiwayError(
      'unauthorized',
      `${url} shows a certificate that nobody vouches for (${wordsOf(reason)}): ${seen}. If it is your robot's, pin this fingerprint.`,
    );
  }

  #makeContext(): SecureContext {
    const { ca, cert, key, passphrase, isUnverified } = this.#options;
    const isChecked = this.#pins.length === 0 && isUnverified !== true;
    const authorities = ca ?? (isChecked ? [...getCACertificates('default'), ...getCACertificates('system')] : []);
    return createSecureContext({
      ...TLS_VERSIONS,
      ca: authorities as string | Buffer | string[],
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
      ...(passphrase === undefined ? {} : { passphrase }),
    });
  }
}

/** OpenSSL's names of what is wrong with a certificate, as words. */
function wordsOf(reason: string): string {
  return reason.replaceAll('_', ' ').toLowerCase();
}
