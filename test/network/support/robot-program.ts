// A program of the robot: a service directory, or one that joined it; either with services of its own (`Echo` by any name).
import {
  EmbeddedBus,
  type HostedService,
  type JoinedBus,
  joinBus,
  listenBus,
  machineId,
} from '../../../robot-agent/qi/index.ts';
import { answerQuestions } from '../../hostile/questions.ts';
import { createEchoService, type EchoService } from '../../support/echo-service.ts';

export interface RobotSpec {
  /** Be the directory there. */
  readonly directory?: string;
  /** Join the one there, for ever. */
  readonly join?: string;
  readonly services: readonly string[];
  /** Where the services are offered; default: as joinBus does. */
  readonly listen?: readonly string[];
}

const { directory, join, services, listen }: RobotSpec = JSON.parse(process.argv[2] ?? '{}');
const echoes = new Map<string, EchoService>();
const hosted = new Map<string, HostedService>();

async function bus(): Promise<EmbeddedBus | JoinedBus> {
  if (directory === undefined) {
    const joined = await joinBus(join ?? '', {
      ...(listen === undefined ? {} : { listen }),
      keepTrying: true,
      timeoutMs: 3000,
    });
    if (joined.state !== 'up')
      await new Promise<void>((resolve) => joined.listen({ stateChanged: (state) => state === 'up' && resolve() }));
    return joined;
  }
  const embedded = new EmbeddedBus({ machineId: machineId(), processId: process.pid, sessionId: 'directory' });
  await listenBus(embedded, directory);
  return embedded;
}

const robot = await bus();
for (const name of services) {
  const echo = createEchoService();
  echoes.set(name, echo);
  hosted.set(name, await robot.host(name, echo.object));
}
answerQuestions({
  endpoints: async (name: string) => (await robot.serviceInfo(name)).endpoints,
  names: async () => (await robot.services()).map(({ name }) => name),
  machineId: () => machineId(),
  /** Calls of `slow` that have begun. */
  slowCalls: (name: string) => echoes.get(name)?.slowCalls(),
  /** Objects handed out and still held. */
  liveObjects: (name: string) => echoes.get(name)?.liveCounters(),
  emit: ({ name, text }: { readonly name: string; readonly text: string }) =>
    echoes.get(name)?.object.emit('onEcho', text),
  takeOff: (name: string) => hosted.get(name)?.close(),
});
