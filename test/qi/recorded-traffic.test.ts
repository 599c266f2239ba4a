// The recorded traffic of libqi clients, replayed over TCP against our directory, our host, our gateway and the Echo service.
// Left out: what the recorded gateway itself asked of its inner directory, its own choice of calls. Compared by meaning: ids of events, link ids, uids, process ids, ports and times are each side's own.
import { afterEach, describe, expect, test } from 'vitest';
import { StandardAction } from '../../protocol/bus/metaobject.ts';
import { EmbeddedBus } from '../../protocol/directory/embedded-bus.ts';
import { systemClock } from '../../protocol/transport/system-clock.ts';
import { MessageType } from '../../protocol/wire/message.ts';
import { createLogger } from '../../robot-agent/logger.ts';
import { mirrorBus } from '../../robot-agent/mirror/mirror.ts';
import {
  type AuthenticationProvider,
  type JoinedBus,
  joinBus,
  type ListenBusOptions,
  listenBus,
  OWN_CAPABILITIES,
} from '../../robot-agent/qi/index.ts';
import { createEchoService } from '../support/echo-service.ts';
import { type Recording, readRecordings } from '../vectors/recording.ts';
import { replay } from './replay.ts';

/** Of the recordings. */
const MACHINE_ID = '4cd80362-e868-4f8b-9ba3-11955e87bd8b';

/** The server of the recordings with authentication: user nao, token secret; without a token it offers pairing. */
const authenticate: AuthenticationProvider = ({ user, token }) => {
  if (user === 'nao' && token === 'secret') return { state: 'done' };
  if (user === 'nao' && token === undefined) return { state: 'continue', data: { newToken: 'secret' } };
  return { state: 'refused', reason: 'wrong user or token' };
};

const optionsOf = (scenario: string): ListenBusOptions => ({
  ...(scenario.startsWith('auth-') && { authenticate }),
  ...(scenario === 'metaobjectcache' && { capabilities: { ...OWN_CAPABILITIES, MetaObjectCache: true } }),
});

const endings: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

/** As when it was recorded: Echo in the directory's own process (service 2), RemoteEcho in another (service 3). */
async function serverOf(scenario: string): Promise<{ urlOf: (server: string) => Promise<string> }> {
  const bus = new EmbeddedBus({ machineId: MACHINE_ID, processId: process.pid, sessionId: 'session of the directory' });
  const listener = await listenBus(bus, 'tcp://127.0.0.1:0', optionsOf(scenario));
  endings.push(
    () => bus.close(),
    () => listener.close(),
  );
  const { object: echo } = createEchoService();
  // That recording was made after another one had set it.
  if (scenario === 'edge') echo.set('count', 42);
  await bus.host('Echo', echo);
  if (!scenario.startsWith('auth-')) await hostRemoteEcho(listener.url);
  const urlOf = async (who: string): Promise<string> => {
    if (who === 'service directory') return listener.url;
    return (await bus.serviceInfo('RemoteEcho')).endpoints.find((endpoint) => endpoint.startsWith('tcp:')) ?? '';
  };
  return { urlOf };
}

async function hostRemoteEcho(url: string): Promise<void> {
  const host: JoinedBus = await joinBus(url);
  endings.push(() => host.close());
  await host.host('RemoteEcho', createEchoService().object);
}

/** What is each side's own becomes a word; libqi's C++ type names in one error text are not ours. */
function mask(notation: unknown, name = ''): unknown {
  if (['uid', 'objectUid', 'objectId', 'processId', 'sessionId'].includes(name)) return `some ${name}`;
  if (['minValue', 'maxValue', 'cumulatedValue'].includes(name)) return 'some seconds';
  if (typeof notation === 'string' && notation.startsWith('tcp://127.0.0.1:')) return 'tcp://127.0.0.1:port';
  if (typeof notation === 'string')
    return notation.replaceAll(/\b([a-z])\((std::.*?>|int)\)/g, '$1').replace('(std::__cxx11::basic_string', '');
  if (Array.isArray(notation)) return notation.map((each) => mask(each));
  if (typeof notation !== 'object' || notation === null) return notation;
  // No object, whatever the rest says: libqi writes the service that was called, and so do we where a payload is rewritten anyway.
  if ('objectId' in notation && notation.objectId === 0) return 'no object';
  return Object.fromEntries(Object.entries(notation).map(([key, each]) => [key, mask(each, key)]));
}

/** Echo on a robot's bus; our gateway joins it and shows it to the clients of the recording. */
async function gatewayServer(): Promise<{ urlOf: (server: string) => Promise<string> }> {
  const robot = new EmbeddedBus({ machineId: 'robot', processId: 1, sessionId: 'session of the robot' });
  const robotListener = await listenBus(robot, 'tcp://127.0.0.1:0');
  await robot.host('Echo', createEchoService().object);
  const inner = await joinBus(robotListener.url);
  const outer = new EmbeddedBus({ machineId: MACHINE_ID, processId: process.pid, sessionId: 'session of the gateway' });
  const isThere = new Promise<void>((resolve) => {
    outer.listen({ serviceAdded: ({ name }) => name === 'Echo' && resolve() });
  });
  const mirror = mirrorBus({ outer, inner, clock: systemClock, logger: createLogger(() => {}, 'silent') });
  const door = await listenBus(outer, 'tcp://127.0.0.1:0', { place: 'outside' });
  endings.push(
    () => robotListener.close(),
    () => robot.close(),
    () => inner.close(),
    () => outer.close(),
    () => mirror.close(),
    () => door.close(),
  );
  await isThere;
  return { urlOf: async () => door.url };
}

/** The part between clients and gateway. */
function outerHalf(recording: Recording): Recording {
  const connections = recording.connections.filter(({ server }) => server === 'gateway');
  const outside = new Set(connections.map(({ conn }) => conn));
  return { ...recording, connections, messages: recording.messages.filter(({ conn }) => outside.has(conn)) };
}

/** Of what came unasked: our gateway ends its registration on a client's object before it releases the object. */
function withoutEndedRegistrations(actual: unknown): unknown {
  if (!Array.isArray(actual)) return actual;
  return actual.filter(({ type, action }) => type !== MessageType.call || action !== StandardAction.unregisterEvent);
}

const recordings = readRecordings().map((recording) =>
  recording.scenario === 'gateway' ? outerHalf(recording) : recording,
);

describe.each(recordings.map((recording) => [recording.scenario, recording] as const))(
  'recorded traffic: %s',
  (scenario, recording) => {
    test('gets equivalent answers', async () => {
      const { urlOf } = scenario === 'gateway' ? await gatewayServer() : await serverOf(scenario);
      const compared = await replay({ recording, urlOf, mask: (notation) => mask(notation) });
      expect(compared.length).toBeGreaterThan(recording.connections.length);
      expect(compared.map(({ place, actual }) => ({ place, answer: withoutEndedRegistrations(actual) }))).toEqual(
        compared.map(({ place, expected }) => ({ place, answer: expected })),
      );
    });
  },
);
