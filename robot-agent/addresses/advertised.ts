// What is advertised by mDNS, as the thread that does it is told, and what it tells. Shared by both sides: plain data only.

/** A service of DNS-SD (RFC 6763). */
export interface AdvertisedService {
  /** Without underscore and protocol: `qiway` is `_qiway._tcp`. */
  readonly type: string;
  readonly port: number;
  readonly txt: Readonly<Record<string, string>>;
}

export interface Advertised {
  /** Instance name, and host name without `.local`; services after the first are at `name-type.local`. */
  readonly name: string;
  /** Of interfaces, as the system calls them. */
  readonly interfaces: readonly string[];
  /** Of the interfaces only this address; undefined: all. */
  readonly address?: string;
  readonly hasIpv6: boolean;
  readonly services: readonly AdvertisedService[];
}

/** From the thread: the name is ours and everybody was told; somebody else has it; it cannot be done. */
export type AdvertiserNews =
  | { readonly kind: 'announced' }
  | { readonly kind: 'taken' }
  | { readonly kind: 'failed'; readonly reason: string };
