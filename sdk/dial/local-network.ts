// Asks the user of a page, through the browser, for the local network before its link is dialled: Chromium lets a page of
// https into it by permission. Only a page can ask, no worker; its window is shown the question. Loaded by pages of https.
import type { Clock } from '@qiway/protocol/clock';
import { within } from '@qiway/protocol/within';
import {
  type AddressSpace,
  barrierOf,
  type NetworkPermissions,
  type PageFacts,
  pageFacts,
  spaceOf,
} from './reachable.ts';

/**
 * `granted`, `denied`: what the user says, or has said. `prompt-unanswered`: the user has not said, in time; or nobody is at
 * the address, since a browser asks only once somebody answers there. `not-needed`: it is no question here. `unsupported`:
 * this browser has no such permission, its rules of mixed content hold.
 */
export type LocalNetworkAnswer = 'granted' | 'denied' | 'prompt-unanswered' | 'not-needed' | 'unsupported';

export interface AskOptions {
  readonly page: PageFacts | undefined;
  readonly clock: Clock;
  /** For the user to answer. Default 30 s. */
  readonly timeoutMs?: number;
  readonly fetch?: typeof fetch;
}

/** A person reads, thinks and clicks; longer than this they are elsewhere. */
export const ANSWER_MS = 30_000;
/** For a name that may as well be of the internet, and its server be down. */
const NAME_MS = 10_000;
/** Between two looks at what the user said, should the browser not tell the page that it changed. */
const LOOK_MS = 250;

/**
 * Asks, if it must, with a request that is thrown away. @param urls of links; the first that needs it is asked for.
 * Never rejects.
 */
export async function askLocalNetwork(urls: readonly string[], options: AskOptions): Promise<LocalNetworkAnswer> {
  const { page, clock, timeoutMs = ANSWER_MS } = options;
  if (page === undefined || page.protocol !== 'https:') return 'not-needed';
  const target = urls.find((url) => mayNeed(url, page));
  if (target === undefined) return 'not-needed';
  const { readPermissions } = page;
  if (!page.isChromium || readPermissions === undefined) return 'unsupported';
  const space = spaceOf(new URL(target).hostname);
  const look = async (): Promise<NetworkPermissions['local']> =>
    (await readPermissions())[space === 'loopback' ? 'loopback' : 'local'];
  const said = await look();
  if (said === 'unknown') return 'unsupported';
  // A name of the internet is not known to be in the local network: who dials it will see.
  if (said === 'denied') return space === 'unknown' ? 'not-needed' : 'denied';
  if (said === 'granted') return 'granted';
  const stop = new AbortController();
  const asked = (async (): Promise<LocalNetworkAnswer> => {
    const answer = await Promise.race([
      knock(target, { ...options, signal: stop.signal }),
      decided(look, { clock, stop: stop.signal }),
    ]);
    const now = await look();
    if (now === 'granted' || now === 'denied') return now;
    return answer === 'answered' || space === 'unknown' ? 'not-needed' : 'prompt-unanswered';
  })();
  const limitMs = space === 'unknown' ? Math.min(timeoutMs, NAME_MS) : timeoutMs;
  return within(asked, { clock, timeoutMs: limitMs }, 'The user did not answer')
    .catch((): LocalNetworkAnswer => 'prompt-unanswered')
    .finally(() => stop.abort());
}

/** In the page that this is. Never rejects. */
export function askForAgent(link: string, clock: Clock): Promise<LocalNetworkAnswer> {
  return askLocalNetwork([link], { page: pageFacts(), clock });
}

/** Neither where the page is from, nor out of its reach whatever the user says. */
function mayNeed(url: string, page: PageFacts): boolean {
  const isOwn = new URL(url).host === page.host;
  return !isOwn && barrierOf(url, { ...page, permissions: ASKING }) !== 'mixed-content' && !isNearer(url, page);
}

const ASKING: NetworkPermissions = { local: 'prompt', loopback: 'prompt' };

/** Pages of the same network are not asked. */
function isNearer(url: string, page: PageFacts): boolean {
  const own = URL.canParse(page.origin) ? spaceOf(new URL(page.origin).hostname) : 'unknown';
  return own === 'loopback' || (own !== 'unknown' && own === spaceOf(new URL(url).hostname));
}

/** What Chromium is told of where the request goes, so that it lets it out of a page of https. */
export function requestTo(space: AddressSpace): RequestInit & { readonly targetAddressSpace?: 'local' | 'loopback' } {
  return {
    mode: 'no-cors',
    cache: 'no-store',
    credentials: 'omit',
    ...(space !== 'unknown' && { targetAddressSpace: space }),
  };
}

/** Where the agent of a link tells that it is alive. */
export function healthUrl(link: string): URL {
  const url = new URL('../healthz', link);
  url.protocol = url.protocol.replace('ws', 'http');
  return url;
}

interface KnockOptions extends AskOptions {
  readonly signal: AbortSignal;
}

async function knock(link: string, { fetch = globalThis.fetch, signal }: KnockOptions): Promise<'answered' | 'failed'> {
  const url = healthUrl(link);
  try {
    await fetch(url, { ...requestTo(spaceOf(url.hostname)), signal });
    return 'answered';
  } catch {
    return 'failed';
  }
}

interface DecidedOptions {
  readonly clock: Clock;
  readonly stop: AbortSignal;
}

/** Once the user has said something; the request then goes on by itself. */
function decided(look: () => Promise<string>, { clock, stop }: DecidedOptions): Promise<'decided'> {
  return new Promise((resolve) => {
    const again = (): void => {
      if (stop.aborted) return;
      clock.after(LOOK_MS, async () => {
        if ((await look()) === 'prompt') again();
        else resolve('decided');
      });
    };
    again();
  });
}
