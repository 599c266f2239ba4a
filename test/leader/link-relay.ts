// Stands for the network of a data channel: links go through it to the agent, and who vanishes just vanishes. A WebSocket of a page
// that crashed would say 1001 for it, which ends a session. A fixture.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type RawData, WebSocket, WebSocketServer } from 'ws';
import { SUBPROTOCOL } from '../../protocol/session/control.ts';

export interface LinkRelay {
  readonly port: number;
  close(): Promise<void>;
}

/** @param agent the WebSocket URL of its link */
export async function openLinkRelay(agent: string): Promise<LinkRelay> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, handleProtocols: () => SUBPROTOCOL });
  server.on('connection', (near) => {
    const far = new WebSocket(agent, SUBPROTOCOL);
    const early: RawData[] = [];
    near.on('message', (message) => {
      if (far.readyState === WebSocket.OPEN) far.send(message);
      else early.push(message);
    });
    far.on('open', () => {
      for (const message of early.splice(0)) far.send(message);
    });
    far.on('message', (message) => near.send(message));
    near.on('close', (code) => (code === 1001 || code === 1006 ? far.terminate() : far.close(code)));
    far.on('close', () => near.close(1000));
    far.on('error', () => near.terminate());
    near.on('error', () => far.terminate());
  });
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      for (const client of server.clients) client.terminate();
      server.close();
      await once(server, 'close');
    },
  };
}
