// An authority of the robot's own: made at the first start and kept in the state directory, it vouches for the names and
// addresses that the agent has, anew whenever there are others or the time has come.
import { join } from 'node:path';
import type { Clock } from '@qiway/protocol/clock';
import { QiwayError } from '@qiway/protocol/errors';
import { keepSecret, readSecret, unusable } from '../identity/kept-secret.ts';
import type { Logger } from '../logger.ts';
import type { Certificates, Shown } from './certificates.ts';
import { allowedBy, type CertificateAndKey, issueLeaf, makeAuthority, validityOf } from './issue.ts';
import { allowedFor, isAllowed, sorted } from './served-names.ts';

export interface OwnAuthorityOptions {
  /** Where it is kept; undefined: nowhere. */
  readonly directory: string | undefined;
  /** For people. */
  readonly name: string;
  /** Names and addresses of this machine, as they are now. */
  readonly hosts: () => readonly string[];
  readonly clock: Clock;
  readonly logger: Logger;
  readonly now: () => Date;
}

/** In the state directory: the authority's certificate and its key. */
export const AUTHORITY_FILE = 'authority.pem';
/** A certificate is made anew when it has less than this left. */
const LEFT_MS = 30 * 86_400_000;
/** Between looks at the time; addresses are told by {@link Certificates.follow}. */
const LOOK_MS = 3_600_000;
/** Robots have clocks that begin anew without a network. What was made then is not believed now. */
const EARLIEST = new Date('2026-01-01T00:00:00Z');

/** @throws `config-invalid` when the authority that is kept cannot be used: devices trust that, and no other */
export async function ownAuthority(options: OwnAuthorityOptions): Promise<Certificates> {
  const { hosts, clock, logger, now } = options;
  const authority = await openAuthority(options);
  const allowed = allowedBy(authority.cert);
  let listener: (shown: Shown) => void = () => {};
  let standsFor: readonly string[] = [];
  let leftOut = '';
  let stopTimer = (): void => {};
  let isStopped = false;

  const present = (): readonly string[] => {
    const { names, addresses } = sorted(hosts());
    const all = [...names, ...addresses];
    const foreign = all.filter((host) => !isAllowed(host, allowed)).join(' ');
    if (foreign !== '' && foreign !== leftOut)
      logger.warn('the authority was not made for these names: they are left out of the certificate', {
        names: foreign,
      });
    leftOut = foreign;
    return all.filter((host) => isAllowed(host, allowed));
  };
  const issue = async (to: readonly string[]): Promise<Shown> => {
    const leaf = await issueLeaf({ authority, hosts: to, now: now() });
    standsFor = to;
    // The authority too: who looks at what is shown sees its fingerprint.
    return { cert: `${leaf.cert}${authority.cert}`, key: leaf.key };
  };
  const isDue = (): boolean => {
    const { from, to } = validityOf(shown.cert);
    return now() < from || to.getTime() - now().getTime() < LEFT_MS;
  };
  const look = async (): Promise<void> => {
    if (isStopped) return;
    const wanted = present();
    if (!isDue() && wanted.every((host) => standsFor.includes(host))) return;
    shown = await issue(wanted);
    logger.info('the certificate was made anew', { names: wanted.join(' ') });
    if (!isStopped) listener(shown);
  };
  const wait = (): void => {
    stopTimer = clock.after(LOOK_MS, () => {
      void follow();
      wait();
    });
  };
  /** One look after the other. */
  let turn: Promise<void> = Promise.resolve();
  const follow = (): Promise<void> => {
    turn = turn
      .then(look)
      .catch((error: unknown) => logger.error('the certificate cannot be made anew', { reason: String(error) }));
    return turn;
  };
  let shown = await issue(present());
  wait();
  return {
    get shown() {
      return shown;
    },
    authority: authority.cert,
    onChange: (run) => {
      listener = run;
    },
    follow,
    stop: () => {
      isStopped = true;
      stopTimer();
    },
  };
}

async function openAuthority(options: OwnAuthorityOptions): Promise<CertificateAndKey> {
  const { directory, logger } = options;
  if (directory === undefined) {
    logger.warn('the authority is not kept: devices that trust it do so until the agent ends; see --state');
    return fresh(options);
  }
  const path = join(directory, AUTHORITY_FILE);
  let text = readSecret(path);
  if (text === undefined) {
    const { cert, key } = await fresh(options);
    // Of two agents that start at the same time one wins.
    text = keepSecret(path, () => `${cert}${key}`);
  }
  return readAuthority(path, text, options.now());
}

function fresh({ name, hosts, now }: OwnAuthorityOptions): Promise<CertificateAndKey> {
  if (now() < EARLIEST)
    throw new QiwayError(
      'config-invalid',
      `--tls self: the clock of this machine says ${now().toISOString()}, and no device would believe a certificate of that time; set the clock first.`,
      { data: { key: 'tls' } },
    );
  return makeAuthority({ name, allowed: allowedFor(hosts()), now: now() });
}

function readAuthority(path: string, text: string, now: Date): CertificateAndKey {
  const part = (what: string): string | undefined =>
    new RegExp(`-----BEGIN ${what}-----[^-]+-----END ${what}-----\n`).exec(text)?.[0];
  const [cert, key] = [part('CERTIFICATE'), part('PRIVATE KEY')];
  const anew = 'delete it: the next start makes another, which devices have to be taught to trust';
  if (cert === undefined || key === undefined) throw unusable(path, `holds no authority; put back a copy, or ${anew}`);
  let ends: Date;
  try {
    allowedBy(cert);
    ends = validityOf(cert).to;
  } catch {
    throw unusable(path, `is damaged; put back a copy, or ${anew}`);
  }
  if (ends < now) throw unusable(path, `ended at ${ends.toISOString()}; ${anew}`);
  return { cert, key };
}
