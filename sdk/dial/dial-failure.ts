// Why a robot could not be reached, over all the ways that were tried: one error, in words that say what to do.
import { asQiwayError, type DialFault, QiwayError, sentenceOf } from '@qiway/protocol/errors';
import type { Failure } from './race.ts';
import type { Barrier, PageNow } from './reachable.ts';

/** What a second look at an address found. */
export interface Finding {
  /** Undefined: nothing is wrong with it. */
  readonly why: DialFault | undefined;
  /** Half a sentence, with "probably" where it is not known. */
  readonly found: string;
  /** What to do, a sentence without its end. */
  readonly advice: string;
}

/** Looks at addresses whose sockets did not open, in bounded time; by URL, not all need be there. */
export type Explain = (urls: readonly string[], page: PageNow | undefined) => Promise<ReadonlyMap<string, Finding>>;

export interface FailedDial {
  /** By URL; empty when the page may dial none. */
  readonly failures: readonly Failure<string>[];
  /** The URL that the person gave. */
  readonly given: string;
  /** What keeps the page from it. */
  readonly barrier?: Barrier | undefined;
  /** Of the robot that was looked for, if that is known. */
  readonly robot?: string | undefined;
  readonly page?: PageNow | undefined;
  readonly findings?: ReadonlyMap<string, Finding> | undefined;
}

interface FailedWay {
  readonly url: string;
  readonly error: QiwayError;
}

/** `robot-identity-mismatch` when others answered and the robot nowhere; what the handshake said when there is one way only. */
export function dialFailure({ failures: all, given, barrier, robot, page, findings }: FailedDial): QiwayError {
  // Where the page came from there may be an agent or not; that there is none is no news.
  const isNoNews = (url: string): boolean => url !== given && findings?.get(url)?.why === 'no-agent';
  const failures = all.filter(({ candidate }) => !isNoNews(candidate));
  const ways = failures.map(({ candidate: url, error: thrown }): FailedWay => {
    const error = asQiwayError(thrown, 'dial-failed');
    const isAsking = url === given && barrier === 'permission-prompt' && whyOf(error).why === 'timeout';
    return { url, error: explained(error, findings?.get(url) ?? (isAsking ? UNANSWERED : undefined)) };
  });
  const [first] = ways;
  const others = ways.filter(({ error }) => error.code === 'robot-identity-mismatch');
  if (first === undefined) return kept(given, { barrier, page });
  if (ways.length === 1 && first.url === given) return withHint(first.error, { url: first.url, page });
  const tried = ways.map(({ url, error }) => ({ url, reason: reasonOf(error), ...whyOf(error) }));
  const attempts =
    barrier === undefined || tried.some(({ url }) => url === given)
      ? tried
      : [{ url: given, reason: BARRED[barrier].reason, why: barrier }, ...tried];
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
  const { reason = '', why } = attempts.find(({ url }) => url === given) ?? attempts[0] ?? {};
  const advice = barrier === undefined ? findings?.get(given)?.advice : BARRED[barrier].advice;
  const todo =
    advice === undefined
      ? 'Check that the agent runs, and that this device reaches its network.'
      : `As for ${given}: ${advice}.`;
  const failure = new QiwayError(
    'dial-failed',
    `No robot agent answers at any of ${attempts.length} addresses: ${list}. ${todo}`,
    { data: { url: given, reason, ...(why !== undefined && { why }), attempts }, cause: first.error },
  );
  return withHint(failure, { url: given, page });
}

/** Half a sentence each; and what to do. */
const BARRED: Readonly<Record<Barrier, { readonly reason: string; readonly advice: string }>> = {
  'mixed-content': {
    reason: 'mixed content',
    advice: 'browsers keep pages of https from it. Open the page over http, or give an https:// or wss:// URL',
  },
  'permission-denied': {
    reason: 'access to the local network was denied',
    advice:
      'access to the local network was denied to it. Allow "Local network access" in the settings of this site (the icon beside the address), and load the page again',
  },
  'permission-prompt': {
    reason: 'the question for the local network was not answered',
    advice: 'the browser asks for the local network, and was not answered. Allow it, and try again',
  },
};

/** Of a dial that came to nothing in time, while the browser would ask. */
const UNANSWERED: Finding = {
  why: 'permission-prompt',
  found: 'probably the question for the local network was not answered, or nobody is there to ask for',
  advice:
    'answer it in the browser and try again; without a question, look whether the robot is on and in this network',
};

/** No address was left that the page may dial. */
function kept(given: string, { barrier, page }: Pick<FailedDial, 'barrier' | 'page'>): QiwayError {
  const why = barrier ?? 'mixed-content';
  const { reason, advice } = BARRED[why];
  return new QiwayError('dial-failed', `A page of ${page?.origin} cannot dial ${given}: ${advice}.`, {
    data: { url: given, reason, why },
  });
}

/** Could a second look tell more than the socket did? Browsers tell their pages nothing. */
export function isUnclear(error: unknown): boolean {
  const { code, data } = asQiwayError(error, 'dial-failed') as QiwayError<'dial-failed'>;
  return code === 'dial-failed' && (data.why === undefined || data.why === 'unreachable');
}

function explained(error: QiwayError, finding: Finding | undefined): QiwayError {
  if (finding?.why === undefined) return error;
  const { url } = error.data as { readonly url?: string };
  const data = { ...error.data, reason: finding.found, why: finding.why };
  const sentence = `No link to ${url}: ${finding.found}. ${capital(finding.advice)}.`;
  return new QiwayError('dial-failed', sentence, { data, cause: error });
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function reasonOf(error: QiwayError): string {
  if (error.code === 'robot-identity-mismatch') return 'another robot is there';
  const { reason } = error.data as { readonly reason?: string };
  return error.code === 'dial-failed' && reason !== undefined ? reason : sentenceOf(error);
}

const WHY: Readonly<Partial<Record<QiwayError['code'], DialFault>>> = {
  'robot-identity-mismatch': 'identity',
  'handshake-failed': 'handshake',
  unauthorized: 'unauthorized',
  timeout: 'timeout',
};

function whyOf(error: QiwayError): { readonly why?: DialFault } {
  const why = (error.data as { readonly why?: DialFault }).why ?? WHY[error.code];
  return why === undefined ? {} : { why };
}

/** A browser does not tell its page that an agent refused the page's origin; a frequent slip, so it is named. */
function withHint(
  error: QiwayError,
  { url, page }: { readonly url: string; readonly page?: PageNow | undefined },
): QiwayError {
  const { why = 'unreachable' } = whyOf(error);
  if (page === undefined || error.code !== 'dial-failed' || new URL(url).host === page.host) return error;
  if (why !== 'unreachable' && why !== 'timeout') return error;
  const hint = `If it runs, it may not let in pages of ${page.origin}: start it with --allow-origin ${page.origin}.`;
  return new QiwayError('dial-failed', `${sentenceOf(error)} ${hint}`, { data: { ...error.data, url }, cause: error });
}
