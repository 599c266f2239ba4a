// Who may speak to the door: Host (against DNS rebinding), Origin (against foreign pages) and the token. Knows no sockets.
import { createHash, timingSafeEqual } from 'node:crypto';
import { isLoopback } from '../address.ts';
import type { PageHosts } from './page-hosts.ts';

export interface GuardOptions {
  readonly token: string;
  /** Names of Host beside localhost and our own addresses, in lower case. */
  readonly allowedHosts: readonly string[];
  /** Origins of pages served elsewhere that may use the agent, as browsers write them. */
  readonly allowedOrigins: readonly string[];
  /** Our addresses and names at the moment: IP literals without brackets, `name`, `name.local`, in lower case. */
  readonly ownHosts: () => readonly string[];
  /** Where we were reached so far. */
  readonly pageHosts: PageHosts;
  /** Told of each refusal for Host or Origin: the browser that is refused does not show its page why. */
  readonly onRefused?: (reason: string) => void;
}

export interface Guard {
  /** Undefined: welcome; else why not. */
  refuseHost(host: string | undefined): string | undefined;
  /**
   * Own are pages that came from the Host of this request, or from a name or address at the same port under which the
   * agent was reached before: the robot may have moved since. `foreign` is set for any other welcome origin than that of
   * Host: such a page needs CORS.
   */
  checkOrigin(
    origin: string | undefined,
    host: string | undefined,
  ): { readonly refusal?: string; readonly foreign?: string };
  /** Takes the same time whatever is wrong with it. */
  isToken(token: string): boolean;
  /** Is this the value of an Authorization header with the token? */
  isAuthorized(authorization: string | undefined): boolean;
}

export function createGuard(options: GuardOptions): Guard {
  const expected = digest(options.token);
  const isToken = (token: string): boolean => timingSafeEqual(digest(token), expected);
  const refused = (reason: string): string => {
    options.onRefused?.(reason);
    return reason;
  };
  const { pageHosts } = options;
  const isPageOf = (origin: string, host: string): boolean => {
    const [, page] = /^https?:\/\/([^/]+)$/.exec(origin) ?? [];
    const [pageName, name] = [hostName(page), hostName(host)];
    if (pageName === undefined || name === undefined || !pageHosts.has(pageName)) return false;
    // Localhost is somebody else elsewhere.
    return portOf(page) === portOf(host) && isLoopback(pageName) === isLoopback(name);
  };
  return {
    refuseHost(host) {
      const name = hostName(host);
      if (name === undefined) return refused('the Host header is missing or malformed');
      if (name === 'localhost' || options.allowedHosts.includes(name) || options.ownHosts().includes(name)) {
        pageHosts.add(name);
        return undefined;
      }
      return refused(`the agent does not go by the name ${name}; start it with --allow-host ${name} if it should`);
    },
    checkOrigin(origin, host) {
      if (origin === undefined) return {};
      if (options.allowedOrigins.includes(origin)) return { foreign: origin };
      if (
        host !== undefined &&
        (origin === `http://${host.toLowerCase()}` || origin === `https://${host.toLowerCase()}`)
      )
        return {};
      if (host !== undefined && isPageOf(origin, host)) return { foreign: origin };
      return {
        refusal: refused(
          `pages of ${origin} may not use this agent; start it with --allow-origin ${origin} if they should`,
        ),
      };
    },
    isAuthorized(authorization) {
      return isToken(/^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1] ?? '');
    },
    isToken,
  };
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function portOf(host: string | undefined): string {
  return /:(\d+)$/.exec(host ?? '')?.[1] ?? '';
}

/** The name in a Host header, without port and brackets, in lower case. */
function hostName(host: string | undefined): string | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::\d{1,5})?$/i.exec(host ?? '');
  return (match?.[1] ?? match?.[2])?.toLowerCase().replace(/\.$/, '');
}
