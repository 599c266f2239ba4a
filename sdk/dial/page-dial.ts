// How a program comes to its session: through the worker that all tabs share, or by a link of its own. Each is a chunk, and a
// page loads the one that it uses.
import { isQiwayError } from '@qiway/protocol/errors';
import { within } from '@qiway/protocol/within';
import { loadSecure } from '../crypto/load-secure.ts';
import { onceLoaded } from '../once-loaded.ts';
import type { WorkerChoice } from '../owner/worker-choice.ts';
import type { DialRobot } from './dial.ts';

const loadPage = onceLoaded('owns a link', () => import('./page-session.ts'));
const loadTab = onceLoaded('speaks with the worker', () => import('../tab/dial-tab.ts'));

/** This program owns the link. */
export const pageDial: DialRobot = async (request) => {
  // Both at once; who dials asks again, and is told.
  loadSecure().catch(() => {});
  const { dialPage } = await within(loadPage(), request, 'The part of the SDK that owns a link was not loaded');
  return dialPage(request);
};

/** A worker owns it, if there can be one; else this program. */
export function dialThrough(worker: WorkerChoice | undefined): DialRobot {
  if (worker === false || typeof SharedWorker === 'undefined') return pageDial;
  return async (request) => {
    try {
      const { dialTab } = await within(loadTab(), request, 'The part of the SDK for tabs was not loaded');
      return await dialTab({ ...request, worker });
    } catch (error) {
      // Of another origin, not served, of another version. What the robot says is another matter.
      if (isQiwayError(error) && error.code !== 'unsupported') throw error;
      return pageDial(request);
    }
  };
}
