// Over TCP: programs that join a directory, each with sockets of its own.
import { EmbeddedBus, joinBus, listenBus } from '../../robot-agent/qi/index.ts';
import { type BusPair, busContract } from './bus-contract.ts';

async function directory() {
  const bus = new EmbeddedBus({ machineId: 'machine of the directory', processId: 1, sessionId: 'session' });
  const listener = await listenBus(bus, 'tcp://127.0.0.1:0');
  return { bus, listener };
}

busContract(
  'TCP, both sides programs on the bus',
  async (): Promise<BusPair> => {
    const { bus: embedded, listener } = await directory();
    const [bus, hostBus] = await Promise.all([joinBus(listener.url), joinBus(listener.url)]);
    const close = async (): Promise<void> => {
      await Promise.all([bus.close(), hostBus.close()]);
      await listener.close();
      await embedded.close();
    };
    return { bus, hostBus, close };
  },
  { isOnBus: true },
);

busContract(
  'TCP, services in the directory itself',
  async (): Promise<BusPair> => {
    const { bus: hostBus, listener } = await directory();
    const bus = await joinBus(listener.url);
    const close = async (): Promise<void> => {
      await bus.close();
      await listener.close();
      await hostBus.close();
    };
    return { bus, hostBus, close };
  },
  { isOnBus: true },
);

busContract(
  'TCP, seen from the directory itself',
  async (): Promise<BusPair> => {
    const { bus, listener } = await directory();
    const hostBus = await joinBus(listener.url);
    const close = async (): Promise<void> => {
      await hostBus.close();
      await listener.close();
      await bus.close();
    };
    return { bus, hostBus, close };
  },
  { isDirectory: true },
);
