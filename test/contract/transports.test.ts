// The transports there are, against the contract.
import type { Transport } from '../../protocol/session/transport.ts';
import { memoryTransports } from '../../protocol/transport/memory.ts';
import { messagePortTransport } from '../../protocol/transport/message-port.ts';
import { webSocketDoor } from '../support/web-socket-door.ts';
import { transportContract } from './transport-contract.ts';

transportContract('memory', async (listeners) => {
  const [left, right] = memoryTransports();
  left.listen(listeners.left);
  right.listen(listeners.right);
  return { left, right, close: async () => left.close(1000, 'the test is over') };
});

transportContract('message port', async (listeners) => {
  const { port1, port2 } = new MessageChannel();
  const [left, right] = [messagePortTransport(port1), messagePortTransport(port2)];
  left.listen(listeners.left);
  right.listen(listeners.right);
  return { left, right, close: async () => left.close(1000, 'the test is over') };
});

transportContract('WebSocket, dialled on the left', async (listeners) => {
  let right: Transport | undefined;
  const door = await webSocketDoor((transport) => {
    right = transport;
    transport.listen(listeners.right);
  });
  const left = await door.dial();
  left.listen(listeners.left);
  if (right === undefined) throw new Error('the socket opened before it was accepted');
  let closing: Promise<void> | undefined;
  return { left, right, close: () => (closing ??= door.close()) };
});
