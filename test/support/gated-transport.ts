// A transport whose side stops reading when a test says so: what comes waits, as in the buffers of a network.
import type { Transport, TransportListener } from '@qiway/protocol/session/transport';

export interface Gate {
  readonly transport: Transport;
  /** Nothing that comes is read from now on. */
  stop(): void;
  /** All that waited is read, and what comes. */
  go(): void;
}

export function gated(inner: Transport): Gate {
  let listener: TransportListener | undefined;
  let isOpen = true;
  const waiting: (() => void)[] = [];
  const pass = (run: () => void): void => {
    if (isOpen) run();
    else waiting.push(run);
  };
  const transport: Transport = {
    route: inner.route,
    get bufferedBytes() {
      return inner.bufferedBytes;
    },
    send: (message, rest) => inner.send(message, rest),
    close: (code, reason) => inner.close(code, reason),
    listen: (given) => {
      listener = given;
      inner.listen({
        message: (bytes) => pass(() => listener?.message(bytes)),
        drain: () => listener?.drain(),
        close: (reason) => pass(() => listener?.close(reason)),
      });
    },
  };
  return {
    transport,
    stop: () => {
      isOpen = false;
    },
    go: () => {
      isOpen = true;
      for (const run of waiting.splice(0)) run();
    },
  };
}
