// Which addresses a page may dial at all: browsers keep pages of https from plain sockets, with exceptions. Of URLs only.

const LINK_PATH = '/robot/link';
/** A name has 253 characters at most. */
const MAX_URL_LENGTH = 300;

/** What is known of the page; undefined outside browsers. */
export interface PageFacts {
  /** As `location` has it. */
  readonly protocol: string;
  readonly host: string;
  readonly origin: string;
  /** Its local network access lets a page of https dial private addresses, if the user agrees. */
  readonly isChromium: boolean;
}

/** Is `host` (as in a URL) this machine itself? */
export function isLoopbackHost(host: string): boolean {
  return /^(localhost|.*\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/i.test(host);
}

/** RFC 1918, 3927, 4193, 4291: what browsers count as the local network, as a literal address. */
function isPrivateLiteral(host: string): boolean {
  return /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|169\.254\.)[\d.]+$|^\[f[cde][0-9a-f:.]+\]$/i.test(host);
}

/**
 * May the page dial it? Never offers what a browser refuses with an error in its console (measured: a page of https dials
 * `ws://` to loopback; in Chromium also to a literal private address).
 */
export function isReachable(url: string, page: PageFacts | undefined): boolean {
  const { protocol, hostname } = new URL(url);
  if (page === undefined || page.protocol !== 'https:' || protocol === 'wss:') return true;
  return isLoopbackHost(hostname) || (page.isChromium && isPrivateLiteral(hostname));
}

/**
 * May an agent found at `current` send its clients to `url`? Only to a link's path, so that it cannot have a page ask other
 * servers for what it likes, and to the user's own machine only if it is on that.
 */
export function isAnnounceable(url: string, current: string | undefined): boolean {
  if (url.length > MAX_URL_LENGTH || !URL.canParse(url)) return false;
  const { protocol, username, password, pathname, search, hash, hostname } = new URL(url);
  if (!/^wss?:$/.test(protocol) || username + password + search + hash !== '' || pathname !== LINK_PATH) return false;
  return !isLoopbackHost(hostname) || (current !== undefined && isLoopbackHost(new URL(current).hostname));
}

/** The page that this runs in, if it is one; workers have no say in what is asked of the user. */
export function pageFacts(): PageFacts | undefined {
  const { location, navigator } = globalThis as {
    readonly location?: Location;
    readonly navigator?: Navigator & { readonly userAgentData?: { readonly brands: readonly { brand: string }[] } };
  };
  if (location === undefined) return undefined;
  const { protocol = '', host, origin } = location;
  const isChromium = navigator?.userAgentData?.brands.some(({ brand }) => brand === 'Chromium') === true;
  return { protocol, host, origin, isChromium };
}
