// What happens to a page after which its link may be dead: then the session looks at once. The window is handed in; in
// programs without one nothing happens.
import type { ClientSession } from '@qiway/protocol/session/client-session';

/** The parts of `window` and `document` that are used. */
export interface ProbedPage {
  readonly window: Pick<EventTarget, 'addEventListener' | 'removeEventListener'>;
  readonly document?: (Pick<EventTarget, 'addEventListener' | 'removeEventListener'> & ProbedDocument) | undefined;
}
interface ProbedDocument {
  readonly visibilityState: string;
}

/** Of the window: the network is back; the page is back from the cache. `navigator.onLine` is not believed. */
const OF_WINDOW = ['online', 'pageshow'] as const;

/** Returns how to stop. */
export function probeWithPage(session: Pick<ClientSession, 'probe'>, { window, document }: ProbedPage): () => void {
  const look = (): void => session.probe();
  const lookIfSeen = (): void => {
    if (document?.visibilityState === 'visible') look();
  };
  for (const type of OF_WINDOW) window.addEventListener(type, look);
  document?.addEventListener('visibilitychange', lookIfSeen);
  // After a freeze (Page Lifecycle).
  document?.addEventListener('resume', look);
  return () => {
    for (const type of OF_WINDOW) window.removeEventListener(type, look);
    document?.removeEventListener('visibilitychange', lookIfSeen);
    document?.removeEventListener('resume', look);
  };
}

/** This page, if it is one; a worker has no document. */
export function thisPage(): ProbedPage | undefined {
  const { window, document } = globalThis as { readonly window?: EventTarget; readonly document?: Document };
  return window === undefined ? undefined : { window, document };
}
