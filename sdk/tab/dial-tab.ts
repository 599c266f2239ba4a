// How a tab comes to its session, whose link a worker owns. A chunk of its own.
import type { RobotSession } from '../dial/dial.ts';
import { prepared } from '../dial/prepared.ts';
import { openTabSession } from './tab-session.ts';
import type { TabDial } from './tab-state.ts';

/** @throws `unsupported` where there is no worker; as `DialRobot` */
export async function dialTab({ worker, ...request }: TabDial): Promise<RobotSession> {
  return openTabSession({ ...(await prepared(request)), worker });
}
