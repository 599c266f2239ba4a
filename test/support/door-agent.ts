// A whole agent in this process whose bus has the test robot's service: behind its HTTP door, and behind sessions.
import { systemClock } from '@qiway/protocol/transport/system-clock';
import { type Agent, startAgent } from '@qiway/robot-agent';
import { agentConfig, tokenOf } from './agent-config.ts';
import { type DoorRobot, doorRobot } from './door-robot.ts';

export interface DoorAgent {
  readonly agent: Agent;
  readonly robot: DoorRobot;
  readonly token: string;
  close(): Promise<void>;
}

const silent = (): void => {};

export interface DoorAgentOptions {
  /** Of pages elsewhere that may use it. */
  readonly origins?: readonly string[];
  /** Folder of files to serve beside. */
  readonly web?: string;
}

export async function openDoorAgent({ origins = [], web }: DoorAgentOptions = {}): Promise<DoorAgent> {
  const agent = await startAgent(
    agentConfig({
      allowOrigins: origins,
      classes: [{ pattern: 'Tester.get*', memberClass: 'idempotent' }],
      web,
    }),
    { clock: systemClock, logger: { debug: silent, info: silent, warn: silent, error: silent } },
  );
  const robot = await doorRobot();
  robot.tester.retain();
  await agent.bus.host('Tester', robot.tester);
  return { agent, robot, token: tokenOf(agent.url), close: () => agent.close() };
}
