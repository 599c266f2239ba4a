// How a page comes to its session: what owns a link is a chunk of its own, fetched together with the handshake's. A page
// whose session is owned by somebody else never loads it.
import { within } from '@qiway/protocol/within';
import { loadSecure } from '../crypto/load-secure.ts';
import { onceLoaded } from '../once-loaded.ts';
import type { OpenRobotSession } from './dial.ts';

const loadPart = onceLoaded('owns a link', () => import('./page-session.ts'));

export const pageDial: OpenRobotSession = async (request) => {
  // Both at once; who dials asks again, and is told.
  loadSecure().catch(() => {});
  const { openPageSession } = await within(loadPart(), request, 'The part of the SDK that owns a link was not loaded');
  return openPageSession(request);
};
