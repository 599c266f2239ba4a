// A service of a robot as a store: there while the robot has it, and again when it is back. Knows no framework.
import { asQiwayError, QiwayError } from '@qiway/protocol/errors';
import type { RemoteObject } from '@qiway/protocol/objects/remote-types';
import type { Robot } from '../robot.ts';
import { createStore, type Store } from './store.ts';

export interface ServiceSnapshot<T> {
  /** Undefined while it is asked for, and when it is not there: then `error` tells. A service that comes back is another object. */
  readonly service: RemoteObject<T> | undefined;
  readonly error: QiwayError | undefined;
}

/** What there is before the first listener, without a robot, and on a server. */
export const NO_SERVICE: ServiceSnapshot<never> = { service: undefined, error: undefined };

/** @param robot without one the store stays empty */
export function serviceStore<S, K extends keyof S & string>(
  robot: Robot<S> | undefined,
  name: K,
): Store<ServiceSnapshot<S[K]>> {
  return createStore<ServiceSnapshot<S[K]>>({
    empty: NO_SERVICE as ServiceSnapshot<S[K]>,
    start: (control) => {
      if (robot === undefined) return () => {};
      /** Of the newest question: what older ones bring is not looked at. */
      let asked = 0;
      let wasReachable = isReachable(robot);
      const ask = (): void => {
        const question = ++asked;
        robot.service(name).then(
          (service) => {
            if (question === asked && control.isOpen) control.change({ service, error: undefined });
            else service.release();
          },
          (error: unknown) => {
            if (question === asked) control.change({ service: undefined, error: asQiwayError(error) });
          },
        );
      };
      const stops = [
        robot.onServiceChange((change) => {
          if (change.name !== name) return;
          if (change.kind === 'added') return ask();
          asked += 1;
          const error = new QiwayError('service-gone', `${name} left the bus; it is used again when it is back.`, {
            data: { service: name },
          });
          control.change({ service: undefined, error });
        }),
        robot.onStatusChange((status) => {
          const isBack = isReachable(robot) && !wasReachable;
          wasReachable = isReachable(robot);
          if (status.state === 'closed') {
            asked += 1;
            control.change({
              service: undefined,
              error: status.reason ?? new QiwayError('closed', 'The robot was closed.'),
            });
          } else if (isBack && control.snapshot.service === undefined) ask();
        }),
      ];
      ask();
      return () => {
        for (const stop of stops) stop();
      };
    },
  });
}

/** What tells whether a robot can be reached. */
export type Reachable = Pick<Robot, 'status' | 'onStatusChange'>;

/** Do calls get through? */
export function isReachable({ status }: Reachable): boolean {
  return status.state === 'online' && status.bus === 'up';
}
