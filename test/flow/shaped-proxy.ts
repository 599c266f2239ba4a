// A TCP proxy with little bandwidth: so many bytes a second each way, first come first served, as a weak radio has. Support
// of the tests. What it does not take waits in the buffers of the sockets.
import { connect, createServer, type Socket } from 'node:net';

export interface ShapedProxy {
  readonly port: number;
  /** Connections that came in since the start. */
  readonly connections: number;
  /** Bytes a second from now on, each way of each connection; 0: nothing passes any more, and nobody is told. */
  shape(bytesPerSecond: number): void;
  /** Every connection breaks now. */
  cutAll(): void;
  close(): Promise<void>;
}

/** Between two portions, ms. */
const TICK_MS = 10;
/** What may be saved up for a burst, ms of the rate: timers are late on a busy machine. */
const BURST_MS = 250;
/** What the proxy itself takes in before it has passed it on. */
const HELD_BYTES = 16 * 1024;

/** @param port where what comes goes to, on this computer */
export function startShapedProxy(port: number, bytesPerSecond: number): Promise<ShapedProxy> {
  const open = new Set<() => void>();
  let rate = bytesPerSecond;
  let connections = 0;
  const server = createServer({ highWaterMark: HELD_BYTES }, (client) => {
    connections += 1;
    const agent = connect(port, '127.0.0.1');
    const pipes = [pipe(client, agent), pipe(agent, client)];
    const timer = setInterval(() => {
      for (const pass of pipes) pass(rate);
    }, TICK_MS);
    const end = (): void => {
      clearInterval(timer);
      open.delete(end);
      client.destroy();
      agent.destroy();
    };
    open.add(end);
    for (const socket of [client, agent]) {
      socket.setNoDelay(true);
      socket.on('error', end);
      socket.on('close', end);
    }
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      if (address === null || typeof address === 'string') return reject(new Error('The proxy has no port.'));
      resolve({
        port: address.port,
        get connections() {
          return connections;
        },
        shape: (next) => {
          rate = next;
        },
        cutAll: () => {
          for (const end of [...open]) end();
        },
        close: () => {
          for (const end of [...open]) end();
          return new Promise((closed) => server.close(() => closed()));
        },
      });
    });
  });
}

/** One direction; called with every tick. */
function pipe(from: Socket, to: Socket): (bytesPerSecond: number) => void {
  let credit = 0;
  let lastMs = performance.now();
  from.pause();
  from.on('readable', () => {});
  return (bytesPerSecond) => {
    const now = performance.now();
    credit = Math.min(credit + ((now - lastMs) * bytesPerSecond) / 1000, (bytesPerSecond * BURST_MS) / 1000);
    lastMs = now;
    if (to.writableLength > HELD_BYTES) return;
    while (credit >= 1 && from.readableLength > 0) {
      const portion = from.read(Math.min(Math.floor(credit), from.readableLength)) as Buffer | null;
      if (portion === null) return;
      credit -= portion.length;
      to.write(portion);
    }
  };
}
