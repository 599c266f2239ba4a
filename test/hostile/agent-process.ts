// An agent in a process of its own, started by processes.ts: the program's parts, and a window into its memory.
import { systemClock } from '@qiway/protocol/transport/system-clock';
import { createLogger, startAgent } from '@qiway/robot-agent';
import { answerQuestions } from './questions.ts';

const [bus] = process.argv.slice(2);
const agent = await startAgent(
  {
    bus,
    busListen: 'tcp://127.0.0.1:0',
    listen: { host: '127.0.0.1', port: 0 },
    token: 'right-token',
    allowOrigins: [],
    allowHosts: [],
    web: undefined,
    log: 'info',
  },
  { logger: createLogger((line) => process.stderr.write(line), 'info'), clock: systemClock },
);
answerQuestions({
  where: () => ({ url: agent.url, origin: agent.origin, busUrl: agent.busUrl }),
  /** Bytes in use once everything that can be collected is. */
  memory: () => {
    for (let round = 0; round < 3; round += 1) globalThis.gc?.();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  },
});
