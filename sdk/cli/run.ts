// One run of the command line: arguments in, exit code out. Knows its streams by the Terminal seam only.
import { asQiwayError } from '@qiway/protocol/errors';
import { doctor } from './doctor.ts';
import { init } from './init.ts';
import { call, get, set, watch } from './members.ts';
import { withRobot } from './robot-access.ts';
import { info, types } from './services.ts';
import type { Surroundings, Terminal } from './terminal.ts';
import { EXIT, type Invocation, readArguments, UsageError } from './usage.ts';

const COMMAND = { info, types, call, watch, get, set };

/** The exit code. Never rejects. */
export async function run(argv: readonly string[], surroundings: Surroundings): Promise<number> {
  const { terminal, environment } = surroundings;
  let invocation: Invocation | undefined;
  try {
    const reading = readArguments(argv, environment);
    if ('print' in reading) {
      terminal.out(reading.print);
      return EXIT.ok;
    }
    invocation = reading;
    return await perform(reading, surroundings);
  } catch (error) {
    return fail(error, invocation?.json === true, terminal);
  }
}

async function perform(invocation: Invocation, surroundings: Surroundings): Promise<number> {
  const { command } = invocation;
  if (command === 'doctor') return await doctor(invocation, surroundings);
  if (command === 'init') return await init(invocation, surroundings);
  await withRobot(invocation, surroundings, (robot) => COMMAND[command](robot, invocation, surroundings.terminal));
  return EXIT.ok;
}

function fail(thrown: unknown, isJson: boolean, terminal: Terminal): number {
  if (thrown instanceof UsageError) {
    terminal.error(`qiway: ${thrown.message}\n`);
    return EXIT.usage;
  }
  const error = asQiwayError(thrown);
  const maybe = error.maybeExecuted ? ' It may have run on the robot all the same.' : '';
  // One line, whatever the robot said.
  const line = `qiway: ${error.message.replaceAll(/\s*\n\s*/g, ' ')}${maybe}\n`;
  terminal.error(isJson ? `${JSON.stringify(error)}\n` : line);
  return EXIT.failed;
}
