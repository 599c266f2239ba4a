// What a page that lacks something loses by it, and what a person can do: words for page-abilities.ts, loaded on demand.
import type { MissingAbility, PageAbility } from './page-abilities.ts';

export interface AbilityWords {
  /** What does not work, as a sentence. */
  readonly loss: string;
  /** What to do about it, as a sentence. */
  readonly advice: string;
}

const LOSSES: Readonly<Record<PageAbility, string>> = {
  'service-worker':
    'The app does not open without a network, cannot be installed, and /robot/ URLs go to the agent itself.',
  'shared-worker': 'Each tab has a link of its own to the robot.',
  'web-locks': 'A tab that crashed is noticed within a minute, not at once.',
  'web-crypto': 'Links are sealed by a library in place of the browser: as safely, with more work for the processor.',
  'persistent-key':
    'After a reload the robot takes this page for a new client: its session is not resumed, leases are asked for anew, and a queued call that was under way and must not run twice is not made again.',
  'persistent-storage': 'The browser may throw away what waits in the offline queue when the disk is full.',
  'camera-capture': 'The page cannot use this device’s camera and microphone.',
  'screen-lock': 'The screen goes dark by itself while nobody touches it.',
  'background-sync': 'Calls that wait are sent when the app is open again, not before.',
  'web-rtc': 'The robot is reached directly or by the relay only, and not where both are behind a router.',
};

/** For people. @param origin of the page, as in `location.origin` */
export function wordsFor({ ability, why }: MissingAbility, origin: string): AbilityWords {
  return { loss: LOSSES[ability], advice: why === 'browser' ? OTHER_BROWSER : overHttps(origin) };
}

const OTHER_BROWSER = 'This browser does not have it; another one may.';

function overHttps(origin: string): string {
  const secure = origin.replace(/^http:/, 'https:');
  return `Browsers keep it from pages without https. Start the robot’s agent with --tls self, let this device trust it at ${origin}/install, and open ${secure}.`;
}
