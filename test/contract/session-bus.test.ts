// Through a client's session: over the link protocol, on every transport.
import { accept } from '../../protocol/secure/accept.ts';
import { initiate } from '../../protocol/secure/initiate.ts';
import { systemClock } from '../../protocol/transport/system-clock.ts';
import { onNode } from '../secure/cryptos.ts';
import { newClient } from '../support/dial-agent.ts';
import { memoryDoor } from '../support/memory-session.ts';
import { webSocketDoor } from '../support/web-socket-door.ts';
import { type BusPair, busContract } from './bus-contract.ts';

busContract('a session, services on the agent’s bus', async (): Promise<BusPair> => {
  const door = memoryDoor();
  const bus = await door.open();
  const close = async (): Promise<void> => {
    await bus.close();
    await door.bus.close();
  };
  return { bus, hostBus: door.bus, close };
});

busContract('two sessions of one agent', async (): Promise<BusPair> => {
  const door = memoryDoor();
  const [bus, hostBus] = await Promise.all([door.open(), door.open()]);
  const close = async (): Promise<void> => {
    await Promise.all([bus.close(), hostBus.close()]);
    await door.bus.close();
  };
  return { bus, hostBus, close };
});

busContract('a session over a WebSocket, sealed', async (): Promise<BusPair> => {
  const { bus: hostBus, ...agent } = memoryDoor({ clock: systemClock });
  const common = { crypto: onNode, clock: systemClock };
  const robot = newClient();
  const door = await webSocketDoor((transport) => {
    void accept(transport, { ...common, ...robot, mustSeal: true, timeoutMs: 5000 }).then((accepted) =>
      agent.host.accept(accepted.transport, { ...accepted, address: 'test' }),
    );
  });
  const client = newClient();
  const bus = await agent.open({
    dial: async ({ hello, timeoutMs }) => ({
      ...(await initiate(await door.dial(), { ...common, ...client, hello, wantsSeal: true, timeoutMs })),
      address: 'test',
    }),
  });
  const close = async (): Promise<void> => {
    await bus.close();
    await hostBus.close();
    await door.close();
  };
  return { bus, hostBus, close };
});
