// Through a client's session: over the link protocol, on transports in memory.
import { memoryDoor } from '../support/memory-session.ts';
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
