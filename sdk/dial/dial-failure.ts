// Why a robot could not be reached, over all the ways that were tried: one error, in words that say what to do.
import { asQiwayError, QiwayError, sentenceOf } from '@qiway/protocol/errors';
import type { Failure } from './race.ts';
import type { PageFacts } from './reachable.ts';

export interface FailedDial {
  /** By URL; not empty. */
  readonly failures: readonly Failure<string>[];
  /** The URL that the person gave. */
  readonly given: string;
  /** Of the robot that was looked for, if that is known. */
  readonly robot?: string | undefined;
  readonly page?: PageFacts | undefined;
}

/** `robot-identity-mismatch` when others answered and the robot nowhere; what the handshake said when there is one way only. */
export function dialFailure({ failures, given, robot, page }: FailedDial): QiwayError {
  const ways = failures.map(({ candidate, error }) => ({ url: candidate, error: asQiwayError(error, 'dial-failed') }));
  const [first] = ways;
  const others = ways.filter(({ error }) => error.code === 'robot-identity-mismatch');
  if (first === undefined)
    return new QiwayError(
      'dial-failed',
      `A page of ${page?.origin} cannot dial ${given}: browsers keep pages of https from it. Open the page over http, or give an https:// or wss:// URL.`,
      {
        data: { url: given, reason: 'mixed content' },
      },
    );
  if (ways.length === 1) return withHint(first.error, { url: first.url, page });
  const attempts = ways.map(({ url, error }) => ({ url, reason: reasonOf(error) }));
  const list = attempts.map(({ url, reason }) => `${url} (${reason})`).join(', ');
  if (others.length > 0 && robot !== undefined) {
    const [{ error } = first] = others;
    const { found } = error.data as { readonly found?: string };
    return new QiwayError(
      'robot-identity-mismatch',
      `Other robots answer where ${robot} was, and it answers nowhere: ${list}. If it got a new identity, open the URL that its agent prints now; else wait until it is back.`,
      { data: { expected: robot, ...(found !== undefined && { found }) }, cause: error },
    );
  }
  const failure = new QiwayError(
    'dial-failed',
    `No robot agent answers at any of ${ways.length} addresses: ${list}. Check that the agent runs, and that this device reaches its network.`,
    { data: { url: given, reason: attempts[0]?.reason ?? '', attempts }, cause: first.error },
  );
  return withHint(failure, { url: given, page });
}

function reasonOf(error: QiwayError): string {
  if (error.code === 'robot-identity-mismatch') return 'another robot is there';
  const { reason } = error.data as { readonly reason?: string };
  return error.code === 'dial-failed' && reason !== undefined ? reason : sentenceOf(error);
}

/** A browser does not tell its page that an agent refused the page's origin; a frequent slip, so it is named. */
function withHint(
  error: QiwayError,
  { url, page }: { readonly url: string; readonly page?: PageFacts | undefined },
): QiwayError {
  if (page === undefined || error.code !== 'dial-failed' || new URL(url).host === page.host) return error;
  const hint = `If it runs, it may not let in pages of ${page.origin}: start it with --allow-origin ${page.origin}.`;
  return new QiwayError('dial-failed', `${sentenceOf(error)} ${hint}`, { data: { ...error.data, url }, cause: error });
}
