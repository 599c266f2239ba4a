// A robot's directory with `Target` in it, which goes and comes back at the same port when told. Started by processes.ts.
import { EmbeddedBus, listenBus } from '@qiway/robot-agent/qi';
import { answerQuestions } from './questions.ts';
import { createTarget } from './target-service.ts';

interface Running {
  readonly url: string;
  names(): Promise<string[]>;
  stop(): Promise<void>;
}

async function begin(url: string): Promise<Running> {
  const bus = new EmbeddedBus({ machineId: 'robot', processId: process.pid, sessionId: 'robot' });
  const listening = await listenBus(bus, url);
  await bus.host('Target', createTarget().object);
  const stop = async (): Promise<void> => {
    await listening.close();
    await bus.close();
  };
  const names = async (): Promise<string[]> => (await bus.services()).map(({ name }) => name);
  return { url: listening.url, names, stop };
}

let robot = await begin('tcp://127.0.0.1:0');
const { url } = robot;
answerQuestions({
  where: () => ({ url }),
  names: () => robot.names(),
  stop: () => robot.stop(),
  begin: async () => {
    robot = await begin(url);
  },
});
