// The program qiway-agent: reads its configuration, starts the agent, ends it on a signal.
// One line on stdout when ready: the URL. Everything else goes to stderr.
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { asQiwayError, sentenceOf } from '@qiway/protocol/errors';
import { systemClock } from '@qiway/protocol/transport/system-clock';
import { type Agent, startAgent } from './agent.ts';
import { collectLessOften } from './collector.ts';
import { type AgentConfig, readConfig } from './config.ts';
import { createLogger } from './logger.ts';
import { helpText } from './options.ts';
import { agentVersion } from './version.ts';

/** 256 bits: out of reach of guessing. */
const TOKEN_BYTES = 32;

async function main(): Promise<void> {
  const invocation = readConfig({
    args: process.argv.slice(2),
    env: process.env,
    readFile: (path) => readFileSync(path, 'utf8'),
    newToken: () => randomBytes(TOKEN_BYTES).toString('base64url'),
  });
  if (invocation.kind === 'help') process.stdout.write(helpText());
  else if (invocation.kind === 'version') process.stdout.write(`${agentVersion()}\n`);
  else await run(invocation.config);
}

async function run(config: AgentConfig): Promise<void> {
  collectLessOften();
  const logger = createLogger((line) => process.stderr.write(line), config.log);
  let agent: Agent | undefined;
  const end = (signal: NodeJS.Signals): void => {
    logger.info('a signal asks the agent to end', { signal });
    // Nobody uses what is only just starting.
    if (agent === undefined) process.exit(0);
    // A second signal ends the process at once.
    process.off('SIGTERM', end).off('SIGINT', end);
    agent.close().then(
      () => process.exit(0),
      (error: unknown) => fail(error),
    );
  };
  process.on('SIGTERM', end).on('SIGINT', end);
  agent = await startAgent(config, { logger, clock: systemClock });
  process.stderr.write(agent.trustText);
  process.stdout.write(`${agent.url}\n`);
}

function fail(error: unknown): never {
  const failure = asQiwayError(error);
  const detail = failure.code === 'internal' && error instanceof Error ? `\n${error.stack ?? ''}` : '';
  process.stderr.write(`qiway-agent: ${sentenceOf(failure)}${detail}\n`);
  process.exit(1);
}

await main().catch(fail);
