// An agent with its own directory, and a service that joined over TCP, in this process, on ports of the kernel's choice.

import { createObject, type HostedObject, type Members } from '@qiway/protocol/objects/hosted-object';
import { systemClock } from '@qiway/protocol/transport/system-clock';
import { createLogger, startAgent } from '@qiway/robot-agent';
import { type Bus, joinBus } from '@qiway/robot-agent/qi';
import { ANY_PORT, agentConfig } from '../support/agent-config.ts';

export interface RealRobot extends AsyncDisposable {
  /** With the token. */
  readonly url: string;
  readonly origin: string;
  /** The service directory. */
  readonly busUrl: string;
  /** Where qi programs from outside come in. */
  readonly qiUrl: string;
  /** The bus as a service's process sees it. */
  readonly bus: Bus;
  readonly thing: HostedObject;
  /** The agent alone goes away. */
  stopAgent(): Promise<void>;
}

/** Serves `members` as the service `Thing`. */
export async function realRobot(members: Members): Promise<RealRobot> {
  const agent = await startAgent(agentConfig({ qiListen: [ANY_PORT] }), {
    logger: createLogger(() => {}, 'error'),
    clock: systemClock,
  });
  const bus = await joinBus(agent.busUrl);
  const thing = createObject(members);
  await bus.host('Thing', thing);
  return {
    url: agent.url,
    origin: agent.origin,
    busUrl: agent.busUrl,
    qiUrl: agent.qiUrls[0] ?? '',
    bus,
    thing,
    stopAgent: () => agent.close(),
    [Symbol.asyncDispose]: async () => {
      await bus.close();
      await agent.close();
    },
  };
}
