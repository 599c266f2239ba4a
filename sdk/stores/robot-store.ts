// A robot as a store: connected while somebody listens, closed a moment after. Knows `connect`, and no framework.
import { asQiwayError, QiwayError } from '@qiway/protocol/errors';
import { connect, type RobotConnectOptions } from '../connect.ts';
import type { LooseServices, Robot } from '../robot.ts';
import type { Status } from '../status.ts';
import { createStore, type Store, type StoreControl } from './store.ts';

export interface RobotSnapshot<S = LooseServices> {
  /** Undefined while it is being connected to, and when that failed or the robot was closed: then `error` tells. */
  readonly robot: Robot<S> | undefined;
  readonly status: Status | undefined;
  readonly error: QiwayError | undefined;
}

export interface RobotStoreOptions extends RobotConnectOptions {
  /** How long the robot is kept when nobody listens any more: pages change their parts. Default 1 s. */
  readonly lingerMs?: number;
}

export interface RobotStore<S = LooseServices> extends Store<RobotSnapshot<S>> {
  /** Connects again when that failed, or the robot was closed; otherwise nothing. */
  readonly retry: () => void;
  /** Does somebody listen, or did a moment ago? */
  readonly isRunning: () => boolean;
}

/** What there is before the first listener, and on a server. */
export const NO_ROBOT: RobotSnapshot<never> = { robot: undefined, status: undefined, error: undefined };

const LINGER_MS = 1000;

/** @param url as for `connect` */
export function robotStore<S = LooseServices>(url: string, options: RobotStoreOptions = {}): RobotStore<S> {
  const { lingerMs = LINGER_MS, ...connectOptions } = options;
  let tryNow: (() => void) | undefined;
  const store = createStore<RobotSnapshot<S>>({
    empty: NO_ROBOT as RobotSnapshot<S>,
    start: (control) => {
      const line = openLine<S>(control, () => connect<S>(url, connectOptions));
      tryNow = line.open;
      return () => {
        tryNow = undefined;
        line.close();
      };
    },
    linger: (stop) => {
      const timer = setTimeout(stop, lingerMs);
      return () => clearTimeout(timer);
    },
  });
  return { ...store, retry: () => tryNow?.(), isRunning: () => tryNow !== undefined };
}

/** The robot of a running store: one at a time. */
function openLine<S>(
  control: StoreControl<RobotSnapshot<S>>,
  connectTo: () => Promise<Robot<S>>,
): { open(): void; close(): void } {
  let isBusy = false;
  const use = (robot: Robot<S>): void => {
    // A link that comes when nobody wants it any more is not kept.
    if (!control.isOpen) return void robot.close().catch(() => {});
    robot.onStatusChange((status) => {
      if (status.state !== 'closed') return control.change({ status });
      isBusy = false;
      const error = status.reason ?? new QiwayError('closed', 'The robot was closed; call retry to connect again.');
      control.change({ robot: undefined, status, error });
    });
    control.change({ robot, status: robot.status, error: undefined });
  };
  const open = (): void => {
    if (isBusy) return;
    isBusy = true;
    connectTo().then(use, (error: unknown) => {
      isBusy = false;
      control.change({ error: asQiwayError(error) });
    });
  };
  open();
  return { open, close: () => void control.snapshot.robot?.close().catch(() => {}) };
}
