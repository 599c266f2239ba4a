// The status of a robot that is there, and of which nothing else is to be said.
import type { Status } from '../../sdk/status.ts';

export const ONLINE: Status = {
  state: 'online',
  route: 'direct',
  address: 'robot',
  isSealed: true,
  owner: 'page',
  missing: [],
  rttMs: 3,
  session: 'new',
  bus: 'up',
  url: 'http://robot/',
  robotId: 'robot',
  queued: 0,
};
