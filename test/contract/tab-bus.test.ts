// Through a tab whose link another owns: over an attachment, and a link behind it.
import { ownerLab } from '../owner/owner-lab.ts';
import { type BusPair, busContract } from './bus-contract.ts';

busContract('a tab at an owner, services on the agent’s bus', async (): Promise<BusPair> => {
  const lab = ownerLab();
  return { bus: await lab.tab(), hostBus: lab.agent.bus, close: () => lab.close() };
});

busContract('two tabs at one owner', async (): Promise<BusPair> => {
  const lab = ownerLab();
  const [bus, hostBus] = await Promise.all([lab.tab(), lab.tab()]);
  return { bus, hostBus, close: () => lab.close() };
});

busContract('a tab, and a session of its own', async (): Promise<BusPair> => {
  const lab = ownerLab();
  const [bus, hostBus] = [await lab.agent.open({ clock: lab.agent.clock }), await lab.tab()];
  const close = async (): Promise<void> => {
    await bus.close();
    await lab.close();
  };
  return { bus, hostBus, close };
});
