// The program `qiway`: streams, signals and the exit code around one run.
import { writeFile } from 'node:fs/promises';
import { connect } from '../index.ts';
import { run } from './run.ts';
import type { Terminal } from './terminal.ts';

const interrupt = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.once(name, () => {
    interrupt.abort();
    // A second Ctrl-C does not wait for the robot.
    process.once(name, () => process.exit(130));
  });
}
// Whoever reads the output may go at any time: qiway watch … | head
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

const terminal: Terminal = {
  out: (text) => process.stdout.write(text),
  error: (text) => process.stderr.write(text),
  interrupted: interrupt.signal,
  writeFile: (path, content) => writeFile(path, content),
};

process.exitCode = await run(process.argv.slice(2), { terminal, environment: process.env, connect });
