// Process: TCP proxies, one for each target port (arguments). Whoever writes a byte at the control port of a proxy breaks
// every connection through it, and is told when. Says its ports as JSON where other processes say their URL.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { ready } from '../probe.ts';

export interface ProxyPorts {
  readonly port: number;
  readonly control: number;
}

const HOST = '127.0.0.1';

async function openProxy(target: number): Promise<ProxyPorts> {
  const open = new Set<Socket>();
  const join = (from: Socket, to: Socket): void => {
    open.add(from);
    from.setNoDelay(true);
    from.on('error', () => {});
    from.on('close', () => {
      open.delete(from);
      to.destroy();
    });
    from.pipe(to);
  };
  const proxy = createServer((client) => {
    const gateway = connect(target, HOST);
    join(client, gateway);
    join(gateway, client);
  });
  const control = createServer((socket) => {
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.on('data', () => {
      const atMs = performance.timeOrigin + performance.now();
      for (const one of [...open]) one.resetAndDestroy();
      socket.write(`${atMs}\n`);
    });
  });
  return { port: await listen(proxy), control: await listen(control) };
}

async function listen(server: Server): Promise<number> {
  server.listen(0, HOST);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

ready(JSON.stringify(await Promise.all(process.argv.slice(2).map((port) => openProxy(Number(port))))));
