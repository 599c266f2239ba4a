// The whole gateway over TCP sockets: a robot's directory, an agent that joined it, its doors for qi programs and pages;
// and ways in from both sides. A fixture, no tests of its own.
import type { ClientSession } from '../../protocol/session/client-session.ts';
import { systemClock } from '../../protocol/transport/system-clock.ts';
import { type Agent, startAgent } from '../../robot-agent/agent.ts';
import type { AgentConfig } from '../../robot-agent/config.ts';
import { createLogger } from '../../robot-agent/logger.ts';
import {
  EmbeddedBus,
  type JoinBusOptions,
  type JoinedBus,
  joinBus,
  listenBus,
  tokenAuthenticator,
} from '../../robot-agent/qi/index.ts';
import { connect, type LooseServices, type Robot } from '../../sdk/index.ts';
import { ANY_PORT, agentConfig, TOKEN } from '../support/agent-config.ts';
import { openAgentSession } from '../support/dial-agent.ts';

export interface Gateway {
  readonly agent: Agent;
  /** The robot's own bus, and where programs on the robot join it. */
  readonly directory: EmbeddedBus;
  readonly busUrl: string;
  /** The door for qi programs. */
  readonly qiUrl: string;
  /** A program on the robot. */
  inside(options?: JoinBusOptions): Promise<JoinedBus>;
  /** A qi program that comes in by the door. */
  outside(options?: JoinBusOptions): Promise<JoinedBus>;
  /** A page, below the SDK. */
  session(): Promise<ClientSession>;
  /** A page. */
  page<S = LooseServices>(): Promise<Robot<S>>;
  /** Ends everything that was opened here, in reverse order. */
  close(): Promise<void>;
}

export async function openGateway(changes: Partial<AgentConfig> = {}): Promise<Gateway> {
  const endings: (() => Promise<unknown>)[] = [];
  const ended = <T extends { close(): Promise<unknown> }>(one: T): T => {
    endings.push(() => one.close());
    return one;
  };
  const directory = ended(new EmbeddedBus({ machineId: 'robot', processId: 1, sessionId: 'robot' }));
  const { url: busUrl } = ended(await listenBus(directory, 'tcp://127.0.0.1:0'));
  const config = agentConfig({ bus: busUrl, qiListen: [ANY_PORT], ...changes });
  const agent = ended(await startAgent(config, { logger: createLogger(() => {}, 'error'), clock: systemClock }));
  const [qiUrl = ''] = agent.qiUrls;
  const authenticator = tokenAuthenticator({ user: 'nao', token: TOKEN });
  const session = async (): Promise<ClientSession> => ended(await openAgentSession(agent.origin));
  return {
    agent,
    directory,
    busUrl,
    qiUrl,
    session,
    inside: async (options) => ended(await joinBus(agent.busUrl, options)),
    outside: async (options) => ended(await joinBus(qiUrl, { authenticator, ...options })),
    page: async <S>() => ended(await connect<S>(agent.url)),
    close: async () => {
      for (const end of endings.splice(0).reverse()) await end();
    },
  };
}
