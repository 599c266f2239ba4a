// @qiway/robot-agent as a library: the agent inside another program.

export type { ListenAddress } from './address.ts';
export { type Agent, type AgentParts, startAgent } from './agent.ts';
export { type AgentConfig, type ConfigSources, type Invocation, readConfig } from './config.ts';
export { createLogger, LOG_LEVELS, type LogData, type Logger, type LogLevel } from './logger.ts';
export { agentVersion } from './version.ts';
