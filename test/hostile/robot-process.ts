// A robot's directory with `Target` in it, which goes and comes back at the same port when told. Started by processes.ts.
import { NO_OBJECTS } from '@qiway/protocol/bus/bus';
import { callObject } from '@qiway/protocol/bus/call';
import { systemClock } from '@qiway/protocol/transport/system-clock';
import { decodeValue, encodeValue } from '@qiway/protocol/wire/value';
import { EmbeddedBus, listenBus } from '@qiway/robot-agent/qi';
import { answerQuestions } from './questions.ts';
import { createTarget } from './target-service.ts';

interface Running {
  readonly url: string;
  names(): Promise<string[]>;
  /** Calls a method without arguments of a service, for the integer it answers. */
  call(service: string, method: string): Promise<number>;
  /** Emits `stepped` so many times. */
  emit(count: number): void;
  /** Each step that `Target` was asked to make since it began: who, and which. */
  readonly steps: string[];
  stop(): Promise<void>;
}

async function begin(url: string): Promise<Running> {
  const bus = new EmbeddedBus({ machineId: 'robot', processId: process.pid, sessionId: 'robot' });
  const listening = await listenBus(bus, url);
  const { object: target } = createTarget();
  const steps: string[] = [];
  const stepped = [...target.metaObject.signals.values()].find(({ name }) => name === 'stepped')?.uid ?? -1;
  await target.subscribe(stepped, {
    event: ({ signature, bytes }) => steps.push((decodeValue(signature, bytes) as unknown[]).join(' ')),
    gone: () => {},
  }).ready;
  await bus.host('Target', target);
  const stop = async (): Promise<void> => {
    await listening.close();
    await bus.close();
  };
  const names = async (): Promise<string[]> => (await bus.services()).map(({ name }) => name);
  const call = async (service: string, method: string): Promise<number> => {
    const object = await bus.service(service);
    const { uid = -1 } = [...object.metaObject.methods.values()].find(({ name }) => name === method) ?? {};
    const payload = { signature: '()', bytes: encodeValue('()', []), objects: NO_OBJECTS };
    const answer = await callObject(object, { action: uid, payload }, { clock: systemClock, timeoutMs: 5000 });
    object.release();
    return Number(decodeValue(answer.signature, answer.bytes, { dynamics: 'unwrapped' }));
  };
  const emit = (count: number): void => {
    for (let each = 0; each < count; each += 1) target.emit('stepped', 'robot', each);
  };
  return { url: listening.url, names, call, emit, steps, stop };
}

let robot = await begin(process.argv[2] ?? 'tcp://127.0.0.1:0');
const { url } = robot;
answerQuestions({
  where: () => ({ url }),
  names: () => robot.names(),
  call: (name) => robot.call(...(name as [string, string])),
  emit: (count) => robot.emit(count as number),
  steps: () => robot.steps,
  stop: () => robot.stop(),
  begin: async () => {
    robot = await begin(url);
  },
});
