// A way to a port of this computer that can be cut: the sockets through it break, and new ones may be refused for a while.
// A fixture, no tests of its own.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface CutGate {
  readonly port: number;
  /** Breaks every connection; the next ones pass. */
  cut(): void;
  /** From now on, and until it is opened, who connects is hung up on. */
  shut(): void;
  open(): void;
  close(): Promise<void>;
}

export async function openCutGate(port: number): Promise<CutGate> {
  const sockets = new Set<Socket>();
  let isShut = false;
  const server = createServer((near) => {
    if (isShut) {
      near.destroy();
      return;
    }
    const far = connect(port, '127.0.0.1');
    const end = (): void => {
      near.destroy();
      far.destroy();
    };
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', end);
      socket.on('close', () => {
        sockets.delete(socket);
        end();
      });
    }
    near.pipe(far);
    far.pipe(near);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = (): void => {
    for (const socket of [...sockets]) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    cut,
    shut() {
      isShut = true;
      cut();
    },
    open() {
      isShut = false;
    },
    async close() {
      server.close();
      cut();
      await once(server, 'close');
    },
  };
}
