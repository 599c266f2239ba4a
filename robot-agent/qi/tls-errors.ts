// What a failure of TLS means, in words: who did not like what of whom. Knows no sockets.
import { QiwayError } from '@qiway/protocol/errors';

/** First bytes of a TLS record: a handshake or an alert, then the major version. */
export function looksLikeTls(bytes: Uint8Array): boolean {
  return (bytes[0] === 0x16 || bytes[0] === 0x15) && bytes[1] === 0x03;
}

/** The first byte of every TLS client. */
export function isTlsHandshake(bytes: Uint8Array): boolean {
  return bytes[0] === 0x16;
}

/** A fatal alert, protocol_version (RFC 5246, 7.2): what TLS servers answer to those who speak something else. */
export const USE_TLS_ALERT: Uint8Array = Uint8Array.of(0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x46);

/** Said of a client that speaks plain tcp at a TLS port. */
export function speaksNoTls(): QiwayError {
  return new QiwayError(
    'protocol-mismatch',
    'The client speaks no TLS: if it is a qi program, it must use a tcps:// (or tcpsm://) URL.',
    { data: { reason: 'the client speaks no TLS' } },
  );
}

/** Said of a socket whose other side sends TLS where qi messages are spoken as they are. */
export function speaksTls(): QiwayError {
  return new QiwayError(
    'protocol-mismatch',
    'The other side speaks TLS, and this side plain tcp: use a tcps:// (or tcpsm://) URL.',
    { data: { reason: 'the other side speaks TLS' } },
  );
}

interface TlsFailure extends Error {
  readonly code?: string;
}

/**
 * The error of a TLS socket as one of ours; undefined if TLS had no part in it.
 * @param side the side that this program is
 */
export function tlsFailure(error: TlsFailure, side: 'client' | 'server' = 'client'): QiwayError | undefined {
  const { code = '', message } = error;
  const mismatch = (sentence: string): QiwayError =>
    new QiwayError('protocol-mismatch', sentence, { data: { reason: message }, cause: error });
  if (/ALERT_PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL|VERSION_TOO_LOW/.test(code))
    return mismatch('Both sides speak TLS, and no version in common: here it is 1.2 or 1.3.');
  if (/WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST|NOT_SSL|UNKNOWN_PROTOCOL|RECORD_TOO/.test(code))
    return side === 'server'
      ? speaksNoTls()
      : mismatch('The other side answers without TLS: if it is a qi program, it speaks plain tcp; use a tcp:// URL.');
  if (
    /CERTIFICATE_REQUIRED|BAD_CERTIFICATE|UNKNOWN_CA|CERTIFICATE_(EXPIRED|REVOKED|UNKNOWN)|UNSUPPORTED_CERT/.test(code)
  )
    return new QiwayError(
      'unauthorized',
      side === 'client'
        ? `The other side does not accept this client's certificate (${alertOf(code)}): tcpsm wants one that its authority signed.`
        : `The client does not accept this port's certificate (${alertOf(code)}).`,
      { cause: error },
    );
  if (/HANDSHAKE_FAILURE|NO_SHARED_CIPHER|INSUFFICIENT_SECURITY/.test(code))
    return mismatch(
      'Both sides speak TLS, and do not agree on a cipher; or the other side wants a certificate (tcpsm).',
    );
  return /^ERR_(SSL|TLS)_/.test(code) ? mismatch(`TLS failed: ${message}.`) : undefined;
}

function alertOf(code: string): string {
  return code
    .replace(/^ERR_SSL_|(TLS|SSL)V[\d_]*|ALERT_/g, '')
    .replaceAll('_', ' ')
    .trim()
    .toLowerCase();
}
