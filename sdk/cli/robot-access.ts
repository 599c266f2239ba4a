// The robot as the commands see it: remote objects of the SDK with the metaobjects behind them. Command line.
import { type MetaObject, metaObjectOf, type RemoteObject, type Robot } from '../index.ts';
import type { Surroundings } from './terminal.ts';
import { type Invocation, UsageError } from './usage.ts';

/** A service with what it says of itself. */
export interface Described {
  readonly remote: RemoteObject;
  readonly metaObject: MetaObject;
}

/** Whoever waits for an answer for minutes still wants to know soon that there is no robot. */
const MAX_CONNECT_MS = 10_000;

/** @throws UsageError when no URL was given */
export function urlOf(invocation: Invocation): string {
  if (invocation.url === undefined)
    throw new UsageError(
      'which robot? Give --url, or set QIWAY_URL, to what the agent printed: http://127.0.0.1:8080/#token=…',
    );
  return invocation.url;
}

/** Connects, lets `use` work, and closes whatever happens. */
export async function withRobot(
  invocation: Invocation,
  { connect, terminal }: Surroundings,
  use: (robot: Robot) => Promise<void>,
): Promise<void> {
  const { timeoutMs } = invocation;
  const onError = (error: unknown): void => terminal.error(`qiway: ${String(error)}\n`);
  const robot = await connect(urlOf(invocation), { ...connectLimit(timeoutMs), timeoutMs, onError });
  try {
    await use(robot);
  } finally {
    await robot.close();
  }
}

/** `--timeout` bounds connecting too; without a limit the SDK's own holds. */
function connectLimit(timeoutMs: number): { readonly connectTimeoutMs?: number } {
  return timeoutMs === 0 ? {} : { connectTimeoutMs: Math.min(timeoutMs, MAX_CONNECT_MS) };
}

/** @throws `service-not-found` and what else `robot.service` throws */
export async function describe(robot: Robot, service: string): Promise<Described> {
  const remote = await robot.service(service);
  return { remote, metaObject: metaObjectOf(remote) };
}
