// Objects of services, held by pages, that end with what they belong to: subscribers hear of it without calling.
import { afterEach, expect, test } from 'vitest';
import { systemClock } from '../../protocol/transport/system-clock.ts';
import type { Agent } from '../../robot-agent/agent.ts';
import { startAgent } from '../../robot-agent/agent.ts';
import { createLogger } from '../../robot-agent/logger.ts';
import { EmbeddedBus, joinBus, listenBus } from '../../robot-agent/qi/index.ts';
import { connect, type RemoteObject, type Robot, type Signal } from '../../sdk/index.ts';
import { Collected, failureOf } from '../contract/calls.ts';
import { seen } from '../contract/contract-state.ts';
import { agentConfig } from '../support/agent-config.ts';
import { createCarrier } from './carrier.ts';
import { openGateway } from './gateway.ts';

interface Thing {
  value(): number;
  readonly added: Signal<[number]>;
}
interface Services {
  Carrier: { give(value: number): RemoteObject<Thing> };
}

const endings: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

/** A page’s hold on an object of the service: what it hears of its end, by a callback and by an iterator. */
async function hold(
  page: Robot<Services>,
): Promise<{ readonly thing: RemoteObject<Thing>; readonly heard: Collected<string> }> {
  const thing = await (await page.service('Carrier')).give(3);
  const heard = new Collected<string>();
  await thing.added.connect(() => {}, { gone: ({ code }) => heard.add(`callback: ${code}`) });
  const events = thing.added[Symbol.asyncIterator]();
  events.next().catch(({ code }: { readonly code: string }) => heard.add(`iterator: ${code}`));
  expect(await thing.value()).toBe(3);
  return { thing, heard };
}

test('when the robot’s directory dies, pages that hold what its services handed out are told', async () => {
  const directory = new EmbeddedBus({ machineId: 'robot', processId: 1, sessionId: 'robot' });
  const listener = await listenBus(directory, 'tcp://127.0.0.1:0');
  const program = await joinBus(listener.url);
  endings.push(() => program.close());
  await program.host('Carrier', createCarrier().object);
  const agent: Agent = await startAgent(agentConfig({ bus: listener.url }), {
    logger: createLogger(() => {}, 'error'),
    clock: systemClock,
  });
  endings.push(() => agent.close());
  const page = await connect<Services>(agent.url);
  endings.push(() => page.close());
  const { thing, heard } = await hold(page);
  await listener.close();
  expect((await heard.count(2)).toSorted()).toEqual(['callback: object-gone', 'iterator: object-gone']);
  expect(await failureOf(thing.value())).toMatchObject({ code: 'object-gone', maybeExecuted: false });
  expect(page.status.state).toBe('online');
});

test.each(['a page', 'a qi program outside'])(
  'when %s leaves, the page that holds an object of its service is told',
  async (who) => {
    const gateway = await openGateway();
    endings.push(() => gateway.close());
    const host = who === 'a page' ? await gateway.session() : await gateway.outside();
    await host.host('Carrier', createCarrier().object);
    await seen(await gateway.session(), 'Carrier');
    const page = await gateway.page<Services>();
    const { thing, heard } = await hold(page);
    await host.close();
    expect((await heard.count(2)).toSorted()).toEqual(['callback: object-gone', 'iterator: object-gone']);
    expect(await failureOf(thing.value())).toMatchObject({ code: 'object-gone' });
    expect(await page.services()).not.toContainEqual(expect.objectContaining({ name: 'Carrier' }));
  },
);

test('a name that is not known while the robot’s bus is down fails, and nothing was executed', async () => {
  const directory = new EmbeddedBus({ machineId: 'robot', processId: 1, sessionId: 'robot' });
  const listener = await listenBus(directory, 'tcp://127.0.0.1:0');
  const agent = await startAgent(agentConfig({ bus: listener.url }), {
    logger: createLogger(() => {}, 'error'),
    clock: systemClock,
  });
  endings.push(() => agent.close());
  const page = await connect(agent.url);
  endings.push(() => page.close());
  const down = (async () => {
    for await (const { bus } of page.statusChanges()) if (bus === 'down') return;
  })();
  await listener.close();
  await down;
  expect(await failureOf(page.service('Nobody'))).toMatchObject({ code: 'bus-down', maybeExecuted: false });
});
