// The robot as the commands see it: remote objects of the SDK with the metaobjects behind them. Command line.
import { connect, type MetaObject, metaObjectOf, type RemoteObject, type Robot } from '../index.ts';
import type { Terminal } from './terminal.ts';
import { type Invocation, UsageError } from './usage.ts';

/** A service with what it says of itself. */
export interface Described {
  readonly remote: RemoteObject;
  readonly metaObject: MetaObject;
}

/** @throws UsageError when no URL was given */
export function urlOf(invocation: Invocation): string {
  if (invocation.url === undefined)
    throw new UsageError(
      'which robot? Give --url, or set QIWAY_URL, to what the agent printed: http://127.0.0.1:8080/#token=…',
    );
  return invocation.url;
}

/** Connects, lets `use` work, and closes whatever happens. */
export async function withRobot<T>(
  invocation: Invocation,
  terminal: Terminal,
  use: (robot: Robot) => Promise<T>,
): Promise<T> {
  const robot = await connect(urlOf(invocation), {
    timeoutMs: invocation.timeoutMs,
    onError: (error) => terminal.error(`${String(error)}\n`),
  });
  try {
    return await use(robot);
  } finally {
    await robot.close();
  }
}

/** @throws `service-not-found` and what else `robot.service` throws */
export async function describe(robot: Robot, service: string): Promise<Described> {
  const remote = await robot.service(service);
  return { remote, metaObject: metaObjectOf(remote) };
}
