// The addresses of this machine: what a port on all of them announces, and how a change is noticed.
import { networkInterfaces } from 'node:os';
import type { Clock } from '@qiway/protocol/clock';
import { isWildcard } from '../address.ts';
import { formatEndpoint, type QiAddress } from './endpoints.ts';

export interface InterfaceAddress {
  readonly family: 'IPv4' | 'IPv6';
  readonly address: string;
}

/** The addresses of this machine, loopback among them. */
export type ListInterfaces = () => readonly InterfaceAddress[];

/** As libqi. */
export const INTERFACES_PERIOD_MS = 5000;

export const systemInterfaces: ListInterfaces = () =>
  Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);

/**
 * What others are told of a listening address: itself; for 0.0.0.0 one endpoint per IPv4 address of this machine, for ::
 * one per IPv6 address as well. Addresses that mean something on one cable only (fe80::/10) are not told.
 */
export function announcedEndpoints(address: QiAddress, list: ListInterfaces = systemInterfaces): string[] {
  const { host } = address;
  if (!isWildcard(host)) return [formatEndpoint(address)];
  const usable = list().filter((each) => each.family === 'IPv4' || (host === '::' && !/^fe[89ab]/i.test(each.address)));
  return [...new Set(usable.map((each) => formatEndpoint({ ...address, host: each.address })))];
}

/** Endpoints that follow this machine's addresses. */
export interface AnnouncedEndpoints {
  readonly now: readonly string[];
  stop(): void;
}

/** Looks now and then if the address stands for all of this machine's; an address of its own never changes. */
export function followInterfaces(
  address: QiAddress,
  options: {
    readonly clock: Clock;
    readonly list?: ListInterfaces | undefined;
    /** Between looks. Default 5 s. */
    readonly periodMs?: number;
    readonly onChange: (endpoints: readonly string[]) => void;
  },
): AnnouncedEndpoints {
  const { clock, list, periodMs = INTERFACES_PERIOD_MS, onChange } = options;
  let now: readonly string[] = announcedEndpoints(address, list);
  let stop = (): void => {};
  const look = (): void => {
    const next = announcedEndpoints(address, list);
    const isSame = next.length === now.length && next.every((endpoint) => now.includes(endpoint));
    wait();
    if (isSame) return;
    now = next;
    onChange(next);
  };
  const wait = (): void => {
    stop = clock.after(periodMs, look);
  };
  if (isWildcard(address.host)) wait();
  return {
    get now() {
      return now;
    },
    stop: () => stop(),
  };
}
