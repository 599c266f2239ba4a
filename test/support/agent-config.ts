// The configuration of an agent for tests: a directory of its own, ports of the kernel's choice, a token that is known.
import type { AgentConfig } from '@qiway/robot-agent';

export const TOKEN = 'right-token';
/** On loopback, any free one. */
export const ANY_PORT = 'tcp://127.0.0.1:0';

/** Without a door for qi programs unless `qiListen` is given. */
export function agentConfig(changes: Partial<AgentConfig> = {}): AgentConfig {
  return {
    bus: undefined,
    busListen: ANY_PORT,
    listen: { host: '127.0.0.1', port: 0 },
    token: TOKEN,
    allowOrigins: [],
    allowHosts: [],
    web: undefined,
    log: 'error',
    isAnnounced: false,
    ...changes,
  };
}

/** The token in a URL that an agent printed. */
export function tokenOf(url: string | URL): string {
  return new URLSearchParams(new URL(url).hash.slice(1)).get('token') ?? '';
}
