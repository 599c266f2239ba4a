// The bus of one process, against the contract.
import { EmbeddedBus } from '../../protocol/directory/embedded-bus.ts';
import { busContract } from './bus-contract.ts';

busContract(
  'embedded, within the process',
  async () => {
    const bus = new EmbeddedBus({ machineId: 'machine', processId: 1, sessionId: 'session' });
    return { bus, hostBus: bus, close: () => bus.close() };
  },
  { isInProcess: true, isDirectory: true },
);
