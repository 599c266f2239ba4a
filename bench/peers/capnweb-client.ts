// The capnweb client, in Node and in Chromium.
import { newWebSocketRpcSession } from 'capnweb';
import type { EchoClient } from '../echo-client.ts';
import type { EchoApi } from './capnweb-target.ts';

type Remote = {
  [Member in keyof EchoApi]: (...args: Parameters<EchoApi[Member]>) => Promise<Awaited<ReturnType<EchoApi[Member]>>>;
};

export async function dialCapnweb(url: string, open: (url: string) => unknown): Promise<EchoClient> {
  const socket = open(url) as WebSocket;
  const stub = newWebSocketRpcSession(socket) as unknown as Remote & Disposable;
  // A session is there at once, before its socket: the first answer says that it stands.
  await stub.echo(0);
  return {
    echo: async (number) => await stub.echo(number),
    down: async (size) => await stub.down(size),
    up: async (body) => await stub.up(body),
    subscribe: async (listener) => await stub.subscribe(listener),
    emit: async (count) => await stub.emit(count),
    close: async () => {
      stub[Symbol.dispose]();
    },
  };
}
