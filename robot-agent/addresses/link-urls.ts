// The URLs under which links reach the agent, as they change with the machine's addresses. Of addresses only: knows no
// sessions and no mDNS.
import type { Clock } from '@qiway/protocol/clock';
import { isLoopback, isWildcard, type ListenAddress } from '../address.ts';
import { announcedEndpoints, followInterfaces, type ListInterfaces, systemInterfaces } from '../qi/interfaces.ts';

/** Of links at the HTTP server (docs/link-protocol.md, section 2). */
export const LINK_PATH = '/robot/link';
/** The kernel's list costs some 0.1 ms; a client that is told within a second loses little. */
const PERIOD_MS = 1000;

export interface LinkUrls {
  /** What appeared last stands first. */
  readonly now: readonly string[];
  stop(): void;
}

export interface LinkUrlsOptions {
  readonly clock: Clock;
  readonly list?: ListInterfaces | undefined;
  readonly onChange: (urls: readonly string[]) => void;
}

/**
 * Follows the addresses of a port: one address is itself, a wildcard is every address that other computers can reach, or
 * loopback while there is none. @param listen with the real port, and the host as it was configured
 */
export function followLinkUrls(listen: ListenAddress, { clock, list, onChange }: LinkUrlsOptions): LinkUrls {
  const address = { scheme: 'tcp', ...listen } as const;
  const seen = list ?? systemInterfaces;
  let now: readonly string[] = reachable(announcedEndpoints(address, seen));
  const following = followInterfaces(address, {
    clock,
    list: seen,
    periodMs: PERIOD_MS,
    onChange: (endpoints) => {
      const next = reachable(endpoints);
      const added = next.filter((url) => !now.includes(url));
      const left = now.filter((url) => next.includes(url));
      if (added.length === 0 && left.length === now.length) return;
      now = [...added, ...left];
      onChange(now);
    },
  });
  return {
    get now() {
      return now;
    },
    stop: () => following.stop(),
  };
}

/** At a name, not an address. */
export function linkUrl(name: string, port: number): string {
  return `ws://${name}:${port}${LINK_PATH}`;
}

/** The host of a URL of ours, without brackets. */
export function hostOf(url: string): string {
  return new URL(url).hostname.replace(/^\[|\]$/g, '');
}

function reachable(endpoints: readonly string[]): readonly string[] {
  const urls = endpoints.map((endpoint) => `${endpoint.replace(/^tcp:/, 'ws:')}${LINK_PATH}`);
  const outside = urls.filter((url) => !isLoopback(hostOf(url)));
  return outside.length === 0 ? urls : outside;
}

/** Does anybody but this machine reach a port that listens there? */
export function isBeyondLoopback(host: string): boolean {
  return isWildcard(host) || !isLoopback(host);
}
