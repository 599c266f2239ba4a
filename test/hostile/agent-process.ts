// An agent in a process of its own, started by processes.ts: the program's parts, and a window into its memory.
import { systemClock } from '@qiway/protocol/transport/system-clock';
import { type AgentConfig, createLogger, startAgent } from '@qiway/robot-agent';
import { answerQuestions, bytesInUse } from './questions.ts';

const [bus = '', changes = '{}'] = process.argv.slice(2);
const agent = await startAgent(
  {
    bus: bus === '' ? undefined : bus,
    busListen: 'tcp://127.0.0.1:0',
    listen: { host: '127.0.0.1', port: 0 },
    token: 'right-token',
    allowOrigins: [],
    allowHosts: [],
    web: undefined,
    log: 'info',
    isAnnounced: false,
    // Who is cut is forgotten soon.
    keepSessionMs: 200,
    ...(JSON.parse(changes) as Partial<AgentConfig>),
  },
  { logger: createLogger((line) => process.stderr.write(line), 'info'), clock: systemClock },
);
answerQuestions({
  where: () => ({ url: agent.url, origin: agent.origin, busUrl: agent.busUrl, qiUrls: agent.qiUrls }),
  memory: bytesInUse,
});
