// A robot's directory with `Target` in it, which goes and comes back at the same port when told. Started by processes.ts.
import { EmbeddedBus, listenBus } from '@qiway/robot-agent/qi';
import { answerQuestions } from './questions.ts';
import { createTarget } from './target-service.ts';

async function begin(url: string): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const bus = new EmbeddedBus({ machineId: 'robot', processId: process.pid, sessionId: 'robot' });
  const listening = await listenBus(bus, url);
  await bus.host('Target', createTarget().object);
  const stop = async (): Promise<void> => {
    await listening.close();
    await bus.close();
  };
  return { url: listening.url, stop };
}

let robot = await begin('tcp://127.0.0.1:0');
const { url } = robot;
answerQuestions({
  where: () => ({ url }),
  stop: () => robot.stop(),
  begin: async () => {
    robot = await begin(url);
  },
});
