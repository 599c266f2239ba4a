// Through a client's session: over the link protocol, on every transport.
import { serving } from '../../protocol/bus/serving.ts';
import { openSession } from '../../protocol/session/client-session.ts';
import { serveSession } from '../../protocol/session/server-session.ts';
import { systemClock } from '../../protocol/transport/system-clock.ts';
import { memoryDoor, randomBytes, TOKEN } from '../support/memory-session.ts';
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

busContract('a session over a WebSocket', async (): Promise<BusPair> => {
  const { bus: hostBus, serverOptions } = memoryDoor({ clock: systemClock });
  const door = await webSocketDoor((transport) => serveSession(transport, serverOptions));
  const timeoutMs = 10_000;
  const client = { token: TOKEN, client: 'test', clock: systemClock, random: randomBytes, timeoutMs, serving };
  const bus = await openSession(await door.dial(), client);
  const close = async (): Promise<void> => {
    await bus.close();
    await hostBus.close();
    await door.close();
  };
  return { bus, hostBus, close };
});
