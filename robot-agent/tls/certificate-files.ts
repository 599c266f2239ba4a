// A certificate in files that somebody else renews, such as an ACME client: read and checked at the start, looked at now and
// then, and read again when it changed. A renewal that cannot be used changes nothing.
import { X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import type { Clock } from '@qiway/protocol/clock';
import { isQiwayError, QiwayError, sentenceOf } from '@qiway/protocol/errors';
import { whyUnreadable } from '../given-options.ts';
import type { Logger } from '../logger.ts';
import { checkServerTls } from '../qi/tls-options.ts';
import type { Certificates, Shown } from './certificates.ts';

export interface CertificateFilesOptions {
  readonly cert: string;
  readonly key: string;
  /** The authority that vouches for it, for devices that do not know it. */
  readonly ca?: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly now: () => Date;
}

interface Read extends Shown {
  readonly authority: string | undefined;
}

/** ACME clients renew a month before the end; a person who copies files wants to see it work. */
const LOOK_MS = 10_000;
/** Renewals were due long ago. */
const WARN_MS = 7 * 86_400_000;

/** @throws `config-invalid` naming the file that does not do, and why */
export async function certificateFiles(options: CertificateFilesOptions): Promise<Certificates> {
  const { clock, logger, now } = options;
  let stamp = await stampOf(options);
  let read = await readFiles(options);
  let listener: (shown: Shown) => void = () => {};
  /** What was seen broken once: it may be half written. */
  let doubted: string | undefined;
  let isTold = false;
  let warnedOf: string | undefined;
  let stopTimer = (): void => {};
  let isStopped = false;

  const warnOfEnd = (): void => {
    const { validToDate, validTo } = new X509Certificate(read.cert);
    if (warnedOf === read.cert || validToDate.getTime() - now().getTime() > WARN_MS) return;
    warnedOf = read.cert;
    logger.warn('the certificate was not renewed, and ends soon', { file: options.cert, ends: validTo });
  };
  const look = async (): Promise<void> => {
    const seen = await stampOf(options);
    if (seen === stamp) return;
    try {
      const next = await readFiles(options);
      stamp = seen;
      doubted = undefined;
      isTold = false;
      if (next.cert === read.cert && next.key === read.key) return;
      read = next;
      logger.info('the certificate was renewed', { file: options.cert, ends: new X509Certificate(next.cert).validTo });
      if (!isStopped) listener(next);
    } catch (error) {
      if (doubted !== seen) {
        doubted = seen;
        isTold = false;
        return;
      }
      if (isTold) return;
      isTold = true;
      const reason = isQiwayError(error) ? sentenceOf(error) : String(error);
      logger.warn('the renewed certificate cannot be used; the one before stays', { reason });
    }
  };
  const wait = (): void => {
    stopTimer = clock.after(LOOK_MS, () => {
      void look()
        .then(warnOfEnd)
        .finally(() => isStopped || wait());
    });
  };
  warnOfEnd();
  wait();
  return {
    get shown() {
      return read;
    },
    get authority() {
      return read.authority;
    },
    onChange: (run) => {
      listener = run;
    },
    // Whatever addresses there are, the files stand for what they stand for.
    follow: async () => {},
    stop: () => {
      isStopped = true;
      stopTimer();
    },
  };
}

/** Changes whenever a file does, also by a link that leads to another. */
async function stampOf({ cert, key, ca }: CertificateFilesOptions): Promise<string> {
  const stamps = [cert, key, ...(ca === undefined ? [] : [ca])].map(async (path) => {
    try {
      const { ino, size, mtimeMs } = await stat(path);
      return `${ino} ${size} ${mtimeMs}`;
    } catch (error) {
      return String((error as NodeJS.ErrnoException).code);
    }
  });
  return (await Promise.all(stamps)).join();
}

async function readFiles(options: CertificateFilesOptions): Promise<Read> {
  const { cert: certPath, key: keyPath, ca: caPath } = options;
  const [cert, key] = await Promise.all([readPem(certPath), readPem(keyPath)]);
  const ca = caPath === undefined ? undefined : await readPem(caPath);
  try {
    checkServerTls('tcps', { cert, key, ...(ca === undefined ? {} : { ca }) }, options.now());
  } catch (error) {
    throw inWordsOfFiles(error, options);
  }
  if (ca !== undefined && !isVouchedFor(cert, ca))
    refuse(`${caPath ?? ''} does not vouch for ${certPath}: give the authority that signed it, or none.`);
  return { cert, key, authority: ca };
}

async function readPem(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    return refuse(`${path} cannot be read: ${whyUnreadable(cause)}.`, cause);
  }
}

function isVouchedFor(cert: string, ca: string): boolean {
  const chain = certificatesIn(cert);
  const last = chain.at(-1);
  return certificatesIn(ca).some(
    (each) =>
      last !== undefined &&
      (last.fingerprint256 === each.fingerprint256 || (last.checkIssued(each) && last.verify(each.publicKey))),
  );
}

function certificatesIn(pem: string): readonly X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => new X509Certificate(block));
}

/** The checks are of qi ports, and know texts; the person knows files. */
function inWordsOfFiles(error: unknown, { cert, key, ca }: CertificateFilesOptions): unknown {
  if (!isQiwayError(error) || error.code !== 'config-invalid') return error;
  const part = /^tls\.(cert|key|ca|passphrase)$/.exec(String((error.data as { readonly key?: string }).key))?.[1];
  const path = part === 'cert' ? cert : part === 'ca' ? ca : key;
  const sentence =
    part === 'passphrase'
      ? 'The private key is encrypted: decrypt it with openssl pkey.'
      : sentenceOf(error).replace(/^A tcps port needs [^:]*: give its PEM text\.$/, 'The file is empty.');
  return refusal(`${path ?? ''}: ${sentence}`, error);
}

function refuse(sentence: string, cause?: unknown): never {
  throw refusal(sentence, cause);
}

function refusal(sentence: string, cause: unknown): QiwayError {
  return new QiwayError('config-invalid', `--tls: ${sentence}`, { data: { key: 'tls' }, cause });
}
