// A robot that says things, on a bus in this process, and an agent of its own process that can be ended and started again at the
// same address: for what pages do over a link.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { type CallContext, createObject, method, signal } from '@qiway/protocol/objects/hosted-object';
import { EmbeddedBus, listenBus } from '@qiway/robot-agent/qi';
import { checkout, makeScratchFolder } from './checkout-copy.ts';
import { type Program, startProgram } from './program.ts';

export interface VoiceRobot {
  /** Of the agent, with its token. */
  readonly url: string;
  /** What ran on the robot, in order. */
  readonly ran: readonly string[];
  /** Emits `Voice.said`. */
  emit(text: string): void;
  /** A figure of the agent, summed over lines that begin so. */
  metric(name: string): Promise<number>;
  endAgent(): Promise<void>;
  startAgent(): Promise<void>;
  close(): Promise<void>;
}

export interface VoiceRobotOptions {
  /** Of the pages. */
  readonly origins: readonly string[];
  /** Of the agent, beside its address. */
  readonly name?: string;
}

export async function openVoiceRobot({ origins, name }: VoiceRobotOptions): Promise<VoiceRobot> {
  const ran: string[] = [];
  const state = makeScratchFolder('state');
  const bus = new EmbeddedBus({ machineId: 'robot', processId: process.pid, sessionId: 'robot' });
  const listening = await listenBus(bus, 'tcp://127.0.0.1:0');
  const voice = createObject({
    say: method('(s)', 's', (text: string) => {
      ran.push(text);
      return `said ${text}`;
    }),
    wait: method('()', 'v', ({ onCancel }: CallContext) => {
      ran.push('waits');
      return new Promise<void>((resolve) =>
        onCancel(() => {
          ran.push('stopped');
          resolve();
        }),
      );
    }),
    stop: method('()', 'v', () => void ran.push('stop')),
    said: signal('(s)'),
  });
  await bus.host('Voice', voice);
  const allowed = [
    ...origins.flatMap((origin) => ['--allow-origin', origin]),
    ...(name === undefined ? [] : ['--allow-host', name]),
  ];
  let listen = '127.0.0.1:0';
  let agent: Program;
  let url = '';
  const startAgent = async (): Promise<void> => {
    const places = ['--listen', listen, '--bus', listening.url, '--state', state];
    agent = startProgram(join(checkout, 'robot-agent/main.ts'), [...places, ...allowed]);
    [url] = await agent.said(/^http:\/\/\S+#\S+$/);
    listen = new URL(url).host;
    await agent.said(/bus is up/);
  };
  await startAgent();
  return {
    get url() {
      return url;
    },
    ran,
    emit: (text) => voice.emit('said', text),
    async metric(name) {
      const { origin, hash } = new URL(url);
      const token = new URLSearchParams(hash.slice(1)).get('token');
      const text = await (await fetch(`${origin}/metrics`, { headers: { authorization: `Bearer ${token}` } })).text();
      return text
        .split('\n')
        .filter((line) => line.startsWith(name))
        .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
    },
    endAgent: () => agent.end('SIGKILL'),
    startAgent,
    async close() {
      await agent.end('SIGKILL');
      await listening.close();
      await bus.close();
      rmSync(state, { recursive: true, force: true });
    },
  };
}
