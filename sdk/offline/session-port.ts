// The queue's view of a session.
import type { RobotSession } from '../dial/dial.ts';
import type { QueuePort } from './queue-types.ts';

export function sessionPort(session: RobotSession): QueuePort {
  return {
    get isReady() {
      return session.sessionState === 'online' && session.told.bus === 'up';
    },
    onChange: (run) => session.listenSession({ changed: run }),
    own: () => session.own(),
    service: (name) => session.service(name),
  };
}
