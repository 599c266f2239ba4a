// The bus contract once more, with the whole gateway between client and host: each side in turn outside and inside.
import { type BusPair, busContract } from '../contract/bus-contract.ts';
import { type Gateway, openGateway } from './gateway.ts';

async function pair(
  open: (gateway: Gateway) => Promise<Omit<BusPair, 'close'>>,
  changes: Parameters<typeof openGateway>[0] = {},
): Promise<BusPair> {
  const gateway = await openGateway(changes);
  return { ...(await open(gateway)), close: () => gateway.close() };
}

busContract(
  'gateway: qi program outside, service on the robot',
  () => pair(async (gateway) => ({ bus: await gateway.outside(), hostBus: await gateway.inside() })),
  { isMirrored: true },
);

busContract(
  'gateway: program on the robot, service of a qi program outside',
  () => pair(async (gateway) => ({ bus: await gateway.inside(), hostBus: await gateway.outside() })),
  { isMirrored: true, isOnBus: true },
);

busContract(
  'gateway: program on the robot, service of a page',
  () => pair(async (gateway) => ({ bus: await gateway.inside(), hostBus: await gateway.session() })),
  { isMirrored: true, isOnBus: true },
);

busContract(
  'gateway: page, service on the robot',
  () => pair(async (gateway) => ({ bus: await gateway.session(), hostBus: await gateway.inside() })),
  { isMirrored: true },
);

busContract('gateway: qi program outside, service of a page', () =>
  pair(async (gateway) => ({ bus: await gateway.outside(), hostBus: await gateway.session() })),
);

busContract('gateway: page, service of a qi program outside', () =>
  pair(async (gateway) => ({ bus: await gateway.session(), hostBus: await gateway.outside() })),
);

const isDirectoryItself = { bus: undefined };

busContract('agent that is the directory: qi program outside, service of a program on the robot', () =>
  pair(async (gateway) => ({ bus: await gateway.outside(), hostBus: await gateway.inside() }), isDirectoryItself),
);

busContract(
  'agent that is the directory: program on the robot, service of a qi program outside',
  () => pair(async (gateway) => ({ bus: await gateway.inside(), hostBus: await gateway.outside() }), isDirectoryItself),
  { isOnBus: true },
);
