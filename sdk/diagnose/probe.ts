// A second look at an address, by HTTP: is anybody there, and what is in the way. In Node the system says it; browsers hide
// it from their pages, so there it is found out by what passes and what does not, and worded as probable.
import type { Clock } from '@qiway/protocol/clock';
import type { DialFault } from '@qiway/protocol/errors';
import { within } from '@qiway/protocol/within';
import type { Explain, Finding } from '../dial/dial-failure.ts';
import { healthUrl, requestTo } from '../dial/local-network.ts';
import { barrierOf, type PageNow, spaceOf } from '../dial/reachable.ts';
import { adviceFor } from './advice.ts';

export interface ProbeOptions {
  readonly page: PageNow | undefined;
  readonly clock: Clock;
  /** For each request, of which there are four at most. */
  readonly timeoutMs: number;
  readonly fetch?: typeof fetch;
  readonly isOnline?: boolean | undefined;
}

export interface Probed extends Finding {
  /** Not guessed. */
  readonly isSure: boolean;
}

/** What /healthz says is a hundred bytes; whoever else is there may say what it likes. */
const MAX_HEALTH_BYTES = 4096;
/** Nobody waits long to hear why: for each request, and for all. */
const EXPLAIN_MS = 1500;
const ALL_MS = 3000;
const MAX_EXPLAINED = 4;

type Outcome =
  | { readonly kind: 'answered'; readonly status: number; readonly text: string }
  | { readonly kind: 'failed'; readonly cause: string }
  | { readonly kind: 'late' };

/** @param link the WebSocket's URL. Never rejects. */
export async function probe(link: string, options: ProbeOptions): Promise<Probed> {
  const { page, isOnline = globalThis.navigator?.onLine } = options;
  const url = healthUrl(link);
  const place = { host: url.host, origin: page?.origin };
  const failed = (why: DialFault, found: string, isSure = false): Probed => ({
    why,
    found: isSure ? found : `probably ${found}`,
    advice: adviceFor(why, place),
    isSure,
  });
  const barrier = barrierOf(link, page);
  if (barrier === 'mixed-content')
    return failed(barrier, 'mixed content: the page is https and the address is not', true);
  if (barrier === 'permission-denied')
    return failed(barrier, 'access to the local network was denied to this page', true);
  const read = await request(url, { ...options, mode: 'cors' });
  if (read.kind === 'answered') {
    const { status } = read;
    if (readHealth(read.text) !== undefined)
      return { why: undefined, found: `answers at ${url.host} (/healthz says ${status})`, advice: '', isSure: true };
    return failed('no-agent', `what answers at ${url.host} is no robot agent (/healthz says ${status})`, true);
  }
  if (read.kind === 'late') return failed('timeout', `nothing answers at ${url.host}`, true);
  const known = systemFault(read.cause);
  if (url.protocol === 'https:' && known !== 'name' && known !== 'timeout' && (await isAgentWithoutTls(url, options)))
    return failed('no-tls', `the agent at ${url.host} speaks plain http there, and no TLS`, true);
  if (known !== undefined) return failed(known, `${WORDS[known] ?? 'nothing answers at'} ${url.host}`, true);
  if (page === undefined) return failed('timeout', `nothing answers at ${url.host} (${read.cause})`, true);
  // What a page may not read may be there all the same.
  const blind = await request(url, { ...options, mode: 'no-cors' });
  if (blind.kind === 'answered')
    return failed('origin', `the agent at ${url.host} does not let in pages of ${page.origin}`);
  if (blind.kind === 'late') return failed('timeout', `nothing answers at ${url.host}`);
  if (url.protocol === 'https:') return await certificateOr(url, { ...options, failed });
  if (page.protocol === 'http:' && isOutside(page, url))
    return failed(
      'permission-denied',
      `the browser keeps this page of ${page.origin} from the local network, since it is not https, or nothing listens at ${url.host}`,
    );
  if (barrier === 'permission-prompt')
    return failed(
      'permission-prompt',
      `the question for the local network was not answered, or nothing listens at ${url.host}`,
    );
  if (isOnline === false) return failed('offline', 'this device has no network');
  return failed('refused', `nothing listens at ${url.host}`);
}

/** For the first dial of a session that failed. */
export function explainWith(clock: Clock): Explain {
  return async (urls, page) => {
    const entries = urls
      .filter((url) => URL.canParse(url))
      .slice(0, MAX_EXPLAINED)
      .map(async (url) => {
        const found = await probe(url, { page, clock, timeoutMs: EXPLAIN_MS });
        return [url, found.why === undefined ? websocketOnly(url, page) : found] as const;
      });
    const all = Promise.all(entries);
    return new Map(await within(all, { clock, timeoutMs: ALL_MS }, 'It was not found out why'));
  };
}

/** The agent is there and lets this page in, and its WebSocket did not open. */
function websocketOnly(link: string, page: PageNow | undefined): Finding {
  const { host } = new URL(link);
  return {
    why: 'websocket',
    found: `the agent at ${host} answers HTTP, and no WebSocket`,
    advice: adviceFor('websocket', { host, origin: page?.origin }),
  };
}

interface RequestOptions extends ProbeOptions {
  readonly mode: 'cors' | 'no-cors';
}

/** Never rejects. */
async function request(
  url: URL,
  { fetch = globalThis.fetch, clock, timeoutMs, page, mode }: RequestOptions,
): Promise<Outcome> {
  const stop = new AbortController();
  const stopTimer = clock.after(timeoutMs, () => stop.abort());
  const { signal } = stop;
  try {
    const init = page === undefined ? { signal } : { ...requestTo(spaceOf(url.hostname)), mode, signal };
    const response = await fetch(url, init);
    return { kind: 'answered', status: response.status, text: await startOf(response) };
  } catch (thrown) {
    if (signal.aborted) return { kind: 'late' };
    const { code, message } = ((thrown as Error).cause ?? thrown) as {
      readonly code?: string;
      readonly message?: string;
    };
    return { kind: 'failed', cause: code ?? message ?? '' };
  } finally {
    stopTimer();
  }
}

/** Agents have one port for both, and say over plain HTTP whether they have TLS. A page may ask where it may read the answer. */
async function isAgentWithoutTls(url: URL, options: ProbeOptions): Promise<boolean> {
  const plain = plainOf(url);
  if (barrierOf(linkOf(plain), options.page) !== undefined) return false;
  const outcome = await request(plain, { ...options, mode: 'cors' });
  if (outcome.kind !== 'answered') return false;
  const health = readHealth(outcome.text);
  return health !== undefined && health.tls !== true;
}

/** Agents have one port for both, so plain HTTP at it tells that only the certificate is in the way. */
async function certificateOr(
  url: URL,
  options: ProbeOptions & { readonly failed: (why: DialFault, found: string, isSure?: boolean) => Probed },
): Promise<Probed> {
  const { failed, page } = options;
  const plain = plainOf(url);
  if (barrierOf(linkOf(plain), page) === undefined) {
    const outcome = await request(plain, { ...options, mode: 'no-cors' });
    if (outcome.kind === 'answered')
      return failed(
        'certificate',
        `this device does not trust the certificate of ${url.host}: without it, something answers there`,
      );
  }
  const space = spaceOf(url.hostname);
  if (space === 'local')
    return failed('certificate', `this device does not trust the certificate of ${url.host}, or nothing listens there`);
  return failed('unreachable', `nothing listens at ${url.host}, or this device does not trust its certificate`);
}

function plainOf(url: URL): URL {
  return new URL(url.href.replace(/^https/, 'http'));
}

function linkOf({ href }: URL): string {
  return href.replace(/^http/, 'ws');
}

/** From elsewhere than the local network, as far as the name of its host tells: names of one word are of the network. */
function isOutside({ origin }: PageNow, { hostname }: URL): boolean {
  if (spaceOf(hostname) === 'unknown' || !URL.canParse(origin)) return false;
  const own = new URL(origin).hostname;
  return spaceOf(own) === 'unknown' && own.includes('.');
}

/** Undefined: not what an agent says. */
function readHealth(text: string): { readonly tls?: unknown } | undefined {
  try {
    const health: unknown = JSON.parse(text);
    return typeof health === 'object' && health !== null && 'bus' in health ? (health as { tls?: unknown }) : undefined;
  } catch {
    return undefined;
  }
}

async function startOf({ body }: Response): Promise<string> {
  const reader = body?.getReader();
  const decoder = new TextDecoder();
  let text = '';
  while (reader !== undefined && text.length < MAX_HEALTH_BYTES) {
    const { done, value } = await reader.read();
    if (done) return text;
    text += decoder.decode(value as Uint8Array, { stream: true });
  }
  await reader?.cancel();
  return text;
}

/** By the codes of Node's errors. */
const SYSTEM: readonly (readonly [why: DialFault, codes: RegExp])[] = [
  ['name', /^(ENOTFOUND|EAI_AGAIN)$/],
  ['refused', /^(ECONNREFUSED|ECONNRESET|UND_ERR_SOCKET)$/],
  ['certificate', /CERT|SELF_SIGNED|ISSUER|ERR_TLS|ERR_SSL/],
  ['timeout', /TIMEDOUT|TIMEOUT|EHOSTUNREACH|ENETUNREACH|EHOSTDOWN/],
];
const WORDS: Readonly<Partial<Record<DialFault, string>>> = {
  name: 'nobody knows the name of',
  refused: 'nothing listens at',
  certificate: 'the certificate is not trusted of',
};

function systemFault(cause: string): DialFault | undefined {
  return SYSTEM.find(([, codes]) => codes.test(cause))?.[0];
}
