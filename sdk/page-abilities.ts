// What a page cannot do that others can, and whether its origin or its browser is why. Codes only, since pages load this with
// the core; what each means in words is page-advice.ts. Pure: looks at the global object that it is given.

export type PageAbility =
  | 'service-worker'
  | 'shared-worker'
  | 'web-locks'
  | 'web-crypto'
  | 'persistent-key'
  | 'persistent-storage'
  | 'camera-capture'
  | 'screen-lock'
  | 'background-sync'
  | 'web-rtc';

export interface MissingAbility {
  readonly ability: PageAbility;
  /** `insecure-origin`: over https, or on localhost, this browser may have it. `browser`: this browser has it nowhere. */
  readonly why: 'insecure-origin' | 'browser';
}

/** Where each is found from `globalThis`; behind `!` what browsers have on insecure origins, too. */
const PLACES: Readonly<Record<PageAbility, string>> = {
  'service-worker': 'navigator.serviceWorker',
  'shared-worker': '!SharedWorker',
  'web-locks': 'navigator.locks',
  'web-crypto': 'crypto.subtle',
  // A key that no script can read is one of Web Cryptography.
  'persistent-key': 'crypto.subtle',
  'persistent-storage': 'navigator.storage.persist',
  'camera-capture': 'navigator.mediaDevices.getUserMedia',
  'screen-lock': 'navigator.wakeLock',
  'background-sync': 'ServiceWorkerRegistration.prototype.sync',
  'web-rtc': '!RTCPeerConnection',
};

/** In the order of what is missed most; empty in programs, which are no page. */
export function missingAbilities(scope: object = globalThis): readonly MissingAbility[] {
  const { isSecureContext } = scope as { readonly isSecureContext?: boolean };
  if (isSecureContext === undefined) return [];
  const missing: MissingAbility[] = [];
  for (const [ability, place] of Object.entries(PLACES) as [PageAbility, string][]) {
    const isEverywhere = place.startsWith('!');
    if (isThere(scope, place.replace('!', ''))) continue;
    missing.push({ ability, why: isSecureContext || isEverywhere ? 'browser' : 'insecure-origin' });
  }
  return missing;
}

/** Looks whether the last name is there without asking for its value: getters of prototypes throw. */
function isThere(scope: object, place: string): boolean {
  const names = place.split('.');
  const last = names.pop() as string;
  let at: unknown = scope;
  for (const name of names) at = (at as Record<string, unknown> | undefined)?.[name];
  return typeof at === 'object' || typeof at === 'function' ? at !== null && last in (at as object) : false;
}
