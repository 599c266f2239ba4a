// A subscription that is made again as long as it is wanted and what ended it may pass. Knows no framework.
import { asQiwayError, type ErrorCode, type QiwayError } from '@qiway/protocol/errors';
import type { Off } from '@qiway/protocol/objects/remote-types';

export interface Wanted {
  /** Subscribes; `gone` is called when the subscription ends by itself. */
  readonly connect: (gone: (error: QiwayError) => void) => Promise<Off>;
  readonly connected: () => void;
  readonly failed: (error: QiwayError) => void;
}

/** Until it is tried again, ms: a person hardly notices, and a robot that is away is not asked often. */
const RETRY_MS = 1000;
/** What a link or a bus that comes back puts right. An object that is gone does not come back: there is another one then. */
const PASSING: ReadonlySet<ErrorCode> = new Set([
  'offline',
  'bus-down',
  'link-lost',
  'timeout',
  'endpoint-unreachable',
]);

/** Returns how to stop: nothing is called afterwards, and the subscription is given back. */
export function stayConnected({ connect, connected, failed }: Wanted): () => void {
  let isWanted = true;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let off: Off | undefined;
  const fail = (error: QiwayError): void => {
    if (!isWanted) return;
    off = undefined;
    failed(error);
    if (PASSING.has(error.code)) timer = setTimeout(attempt, RETRY_MS);
  };
  const attempt = (): void => {
    // `connect` may throw at once: a member that the object has not, options that are none.
    void (async () => connect(fail))().then(
      (made) => {
        if (!isWanted) return void made();
        off = made;
        connected();
      },
      (error: unknown) => fail(asQiwayError(error)),
    );
  };
  attempt();
  return () => {
    isWanted = false;
    clearTimeout(timer);
    void off?.();
  };
}
