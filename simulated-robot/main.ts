// The program: reads the command line, gets the bus, starts the robot, ends on a signal. Knows sockets through the qi library only.
import { randomUUID } from 'node:crypto';
import { type QiwayError, sentenceOf } from '@qiway/protocol/errors';
import { systemClock } from '@qiway/protocol/transport/system-clock';
import { type Bus, EmbeddedBus, joinBus, listenBus, machineId } from '@qiway/robot-agent/qi';
import { HELP, type Options, readOptions } from './options.ts';
import { startSimulatedRobot } from './simulated-robot.ts';

interface Place {
  readonly bus: Bus;
  readonly url: string;
  readonly leave: () => Promise<void>;
}

/** Joining a directory that is there takes a fraction of this. */
const PATIENCE_MS = 1500;

async function findPlace({ kind, url }: Options['bus']): Promise<Place> {
  if (kind === 'join') {
    let told = '';
    const onAttemptFailed = (reason: QiwayError): void => {
      const sentence = sentenceOf(reason);
      if (sentence !== told) report(`${sentence} It is tried again.`);
      told = sentence;
    };
    return { bus: await joinBus(url, { keepTrying: true, onAttemptFailed }), url, leave: () => Promise.resolve() };
  }
  const bus = new EmbeddedBus({ machineId: machineId(), processId: process.pid, sessionId: randomUUID() });
  const listening = await listenBus(bus, url);
  return { bus, url: listening.url, leave: () => listening.close() };
}

function report(sentence: string): void {
  process.stderr.write(`simulated robot: ${sentence}\n`);
}

async function run(options: Options): Promise<void> {
  const { bus, url, leave } = await findPlace(options.bus);
  const stopWaiting = systemClock.after(PATIENCE_MS, () => {
    if (bus.state === 'down') report(`No service directory at ${url} yet; waiting for it.`);
  });
  const robot = startSimulatedRobot({
    bus,
    clock: systemClock,
    wallMs: Date.now,
    charge: options.charge,
    onRegistered: (count) => process.stdout.write(`simulated robot: ${count} services on ${url}\n`),
    report,
  });
  let isEnding = false;
  const end = (): void => {
    if (isEnding) return;
    isEnding = true;
    stopWaiting();
    const leaving = robot.close().then(leave);
    leaving.then(
      () => process.exit(0),
      (error: unknown) => fail(error),
    );
  };
  process.once('SIGTERM', end);
  process.once('SIGINT', end);
  // Who started us with an IPC is gone: nobody else will end us.
  if (process.connected) process.once('disconnect', end);
}

function fail(error: unknown): never {
  report(error instanceof Error ? error.message : String(error));
  process.exit(1);
}

const asked = readOptions(process.argv.slice(2));
if (asked.kind === 'help') {
  process.stdout.write(HELP);
} else if (asked.kind === 'refused') {
  report(`${asked.sentence} --help lists the options.`);
  process.exit(2);
} else {
  await run(asked.options).catch(fail);
}
