// Which robot, with which token. Layer: robot. The token comes in the page's fragment and stays there, so that reload and
// bookmarks work; a copy in the tab's sessionStorage covers links inside the page, and what the browser remembers of its robots
// an installed console, which is opened without a fragment. It never goes into a query.

export interface PageAddress {
  readonly origin: string;
  readonly hash: string;
}

const STORED = { token: 'qiway.token', robot: 'qiway.robot' } as const;

/**
 * The agent's URL with its token and, where it is known, the robot's id; undefined when there is no token.
 * @param known the URL of the robot that this browser knows, for a page that names none
 */
export function agentUrl(
  { origin, hash }: PageAddress,
  store: Pick<Storage, 'getItem' | 'setItem'>,
  known?: string,
): string | undefined {
  const fragment = fragmentOf(hash);
  const given = fragment.get('token');
  const token = given ?? store.getItem(STORED.token) ?? '';
  if (token === '') return known;
  // Both from one place: a token without an id may be another robot's.
  const robot = (given === null ? store.getItem(STORED.robot) : fragment.get('robot')) ?? '';
  store.setItem(STORED.token, token);
  store.setItem(STORED.robot, robot);
  return `${origin}/#token=${encodeURIComponent(token)}${robot === '' ? '' : `&robot=${encodeURIComponent(robot)}`}`;
}

/**
 * The fragment that names the robot which was found, so that reloads and bookmarks of the page mean no other; undefined when
 * it names one. A token that is in the store alone has the id beside it there.
 */
export function pinned(hash: string, robotId: string, store: Pick<Storage, 'getItem' | 'setItem'>): string | undefined {
  const fragment = fragmentOf(hash);
  if ((fragment.get('robot') ?? '') !== '') return undefined;
  if ((store.getItem(STORED.robot) ?? '') === '') store.setItem(STORED.robot, robotId);
  return fragment.get('token') === null ? undefined : withFragment(hash, 'robot', robotId);
}

/** The fragment without a robot: nothing of its token is left in the page's address, nor in the tab. */
export function withoutRobot(hash: string, store: Pick<Storage, 'removeItem'>): string {
  for (const name of Object.values(STORED)) store.removeItem(name);
  const fragment = fragmentOf(hash);
  for (const name of ['token', 'robot']) fragment.delete(name);
  return `#${fragment.toString()}`;
}

/** An agent's URL with a robot's id in it. */
export function urlOf(url: string, robotId: string): string {
  const named = new URL(url);
  named.hash = withFragment(named.hash, 'robot', robotId);
  return named.href;
}

/** The values of a fragment such as `#token=…&view=explore`. */
export function fragmentOf(hash: string): URLSearchParams {
  return new URLSearchParams(hash.replace(/^#/, ''));
}

/** The fragment with one value changed. */
export function withFragment(hash: string, name: string, value: string): string {
  const fragment = fragmentOf(hash);
  fragment.set(name, value);
  return `#${fragment.toString()}`;
}

/** The fragment with the token, and the robot's id if there is one, of an agent's URL in place of its own. */
export function withRobot(hash: string, url: string): string {
  const given = fragmentOf(new URL(url).hash);
  const fragment = fragmentOf(hash);
  for (const name of ['token', 'robot']) {
    const value = given.get(name);
    if (value === null) fragment.delete(name);
    else fragment.set(name, value);
  }
  return `#${fragment.toString()}`;
}

/**
 * Where to go for what a person pasted: a robot's URL with its token, or the token alone.
 * @throws Error with a sentence for that person
 */
export function readPasted(pasted: string, origin: string): { readonly url: string; readonly isHere: boolean } {
  const text = pasted.trim();
  if (text === '') throw new Error('Paste the URL that the robot agent printed when it started.');
  if (/^[\w-]{8,}$/.test(text)) return { url: `${origin}/#token=${text}`, isHere: true };
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new Error('This is no URL. It begins with http:// or https:// and ends with #token=…');
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new Error('The URL has to begin with http:// or https://');
  if ((fragmentOf(url.hash).get('token') ?? '') === '')
    throw new Error('The URL has no token: copy all of it, to the end of #token=…');
  return { url: url.href, isHere: url.origin === origin };
}
