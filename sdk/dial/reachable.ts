// Which addresses a page may dial at all: browsers keep pages of https from plain sockets, with exceptions, and ask their
// user. Of URLs only; the user is asked by local-network.ts.

const LINK_PATH = '/robot/link';
/** A name has 253 characters at most. */
const MAX_URL_LENGTH = 300;

/** What the browser's user has said of a network; `unknown`: the browser does not ask, or does not tell. */
export type NetworkPermission = 'granted' | 'denied' | 'prompt' | 'unknown';

/** The networks that Chromium asks for: others on the local network, and programs of this machine. */
export interface NetworkPermissions {
  readonly local: NetworkPermission;
  readonly loopback: NetworkPermission;
}

/** What is known of the page; undefined outside browsers. */
export interface PageFacts {
  /** As `location` has it. */
  readonly protocol: string;
  readonly host: string;
  readonly origin: string;
  /** Its local network access lets a page of https dial private addresses, if the user agrees. */
  readonly isChromium: boolean;
  /** As they are now; without: unknown. */
  readonly readPermissions?: () => Promise<NetworkPermissions>;
}

/** A page with what its user has said by now. */
export type PageNow = Omit<PageFacts, 'readPermissions'> & { readonly permissions?: NetworkPermissions };

/** What keeps a page from an address. */
export type Barrier = 'mixed-content' | 'permission-denied' | 'permission-prompt';

/** Where an address is, as far as it says so itself; a name may lead anywhere. */
export type AddressSpace = 'loopback' | 'local' | 'unknown';

/** @param host as in a URL, without its port */
export function spaceOf(host: string): AddressSpace {
  if (isLoopbackHost(host)) return 'loopback';
  return isPrivateLiteral(host) || /\.local$/i.test(host) ? 'local' : 'unknown';
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
 * What keeps the page from dialling it; undefined: nothing that is known (measured in Chromium 156: a page of https dials
 * `ws://` to loopback, literal private addresses and `.local` names, as its user allows; other names never).
 */
export function barrierOf(url: string, page: PageNow | undefined): Barrier | undefined {
  if (page === undefined || page.protocol !== 'https:') return undefined;
  const { protocol, hostname } = new URL(url);
  const space = spaceOf(hostname);
  const isPlain = protocol === 'ws:';
  if (!page.isChromium) return isPlain && space !== 'loopback' ? 'mixed-content' : undefined;
  if (space === 'unknown') return isPlain ? 'mixed-content' : undefined;
  // Who comes from the same network, or from this machine, is not asked.
  const own = spaceOf(hostOf(page));
  if (own === 'loopback' || own === space) return undefined;
  const said = page.permissions?.[space] ?? 'unknown';
  return said === 'denied' ? 'permission-denied' : said === 'prompt' ? 'permission-prompt' : undefined;
}

function hostOf({ origin, host }: PageNow): string {
  return URL.canParse(origin) ? new URL(origin).hostname : host;
}

/** May the page dial it, if need be after a question to its user? Never offers what a browser refuses with an error in its console. */
export function isReachable(url: string, page: PageNow | undefined): boolean {
  const barrier = barrierOf(url, page);
  return barrier === undefined || barrier === 'permission-prompt';
}

/**
 * The same address for a page that does not trust the certificate of a robot in its network: agents have one port for both,
 * and the link is sealed for a robot that is known (docs/tls.md). One, or none.
 */
export function withoutTls(
  { link, robot }: { readonly link: string; readonly robot?: string | undefined },
  page: PageNow | undefined,
): readonly string[] {
  if (page === undefined || robot === undefined || !link.startsWith('wss:')) return [];
  return spaceOf(new URL(link).hostname) === 'local' ? [link.replace(/^wss/, 'ws')] : [];
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

/** The page that this runs in, if it is one; in a worker, that of the worker's file. */
export function pageFacts(): PageFacts | undefined {
  const { location, navigator } = globalThis as {
    readonly location?: Location;
    readonly navigator?: Navigator & { readonly userAgentData?: { readonly brands: readonly { brand: string }[] } };
  };
  if (location === undefined) return undefined;
  const { protocol = '', host, origin } = location;
  const isChromium = navigator?.userAgentData?.brands.some(({ brand }) => brand === 'Chromium') === true;
  const { permissions } = navigator ?? {};
  if (!isChromium || permissions === undefined) return { protocol, host, origin, isChromium };
  return { protocol, host, origin, isChromium, readPermissions: () => readPermissions(permissions) };
}

/** Since Chromium 145, each network has a name of its own; before, one name was for both. */
const OLD_NAME = 'local-network-access';

/** What is used of `Permissions`; without the types of the DOM, which programs in Node do not have. */
interface AskedPermissions {
  query(about: { readonly name: 'geolocation' }): Promise<{ readonly state: 'granted' | 'denied' | 'prompt' }>;
}

/** Never rejects. */
export async function readPermissions(permissions: AskedPermissions): Promise<NetworkPermissions> {
  const read = async (...names: readonly string[]): Promise<NetworkPermission> => {
    for (const name of names) {
      const status = await permissions.query({ name: name as 'geolocation' }).catch(() => undefined);
      if (status !== undefined) return status.state;
    }
    return 'unknown';
  };
  const [local, loopback] = await Promise.all([read('local-network', OLD_NAME), read('loopback-network', OLD_NAME)]);
  return { local, loopback };
}
