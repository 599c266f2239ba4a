// The robot as a process of its own, over TCP: it waits for the directory, registers, answers, comes back, leaves.
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { EmbeddedBus } from '@qiway/protocol/directory/embedded-bus';
import { createRemoteObjects } from '@qiway/protocol/objects/remote-objects';
import { systemClock } from '@qiway/protocol/transport/system-clock';
import { joinBus, listenBus } from '@qiway/robot-agent/qi';
import { afterEach, describe, expect, it } from 'vitest';
import { runProgram, terminalEnvironment } from '../support/run-program.ts';
import type { Service } from './living-robot.ts';

const MAIN = 'simulated-robot/main.ts';
const started: ChildProcess[] = [];

afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
});

interface Program {
  /** Resolves with the first line from now on, of either stream, that holds `text`. */
  line(text: string): Promise<string>;
  /** Resolves with the exit code. */
  end(): Promise<number | null>;
}

function start(...args: string[]): Program {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: terminalEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started.push(child);
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    createInterface(stream).on('line', (line) => {
      lines.push(line);
      for (const look of [...waiting]) look();
    });
  }
  const exited = new Promise<number | null>((resolve) => child.on('exit', resolve));
  return {
    line: (text) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const index = lines.findIndex((line) => line.includes(text));
          if (index < 0) return;
          waiting.delete(look);
          resolve(lines.splice(index, 1)[0] ?? '');
        };
        waiting.add(look);
        look();
        exited.then((code) => reject(new Error(`it ended with ${code} before it said "${text}": ${lines.join('\n')}`)));
      }),
    end: () => {
      child.kill('SIGTERM');
      return exited;
    },
  };
}

async function listen(url: string): Promise<{ bus: EmbeddedBus; url: string; close: () => Promise<void> }> {
  const bus = new EmbeddedBus({ machineId: 'test', processId: process.pid, sessionId: 'test' });
  const listening = await listenBus(bus, url);
  const close = async (): Promise<void> => {
    await listening.close();
    await bus.close();
  };
  return { bus, url: listening.url, close };
}

describe('the simulated robot as a process', () => {
  it('is a directory when asked, answers over TCP, and leaves on SIGTERM', async () => {
    const program = start('--bus-listen', 'tcp://127.0.0.1:0');
    const url = /tcp:\/\/\S+/.exec(await program.line('12 services on'))?.[0] ?? '';
    const bus = await joinBus(url);
    const objects = createRemoteObjects({ clock: systemClock, report: () => undefined });
    const motion = objects.wrap(await bus.service('ALMotion')) as unknown as Service;
    const moved = new Promise((resolve) => {
      motion.positionChanged.connect(resolve).then(() => motion.moveToward(0, 0, 0.5));
    });
    expect(await moved).toEqual([0, 0, expect.any(Number)]);
    await motion.stopMove();
    const video = objects.wrap(await bus.service('ALVideoDevice')) as unknown as Service;
    const handle = await video.subscribeCamera('test', 0, 0, 11, 10);
    expect(((await video.getImageRemote(handle)) as unknown[])[6]).toHaveLength(160 * 120 * 3);
    await bus.close();
    objects.close();
    expect(await program.end()).toBe(0);
  });

  it('waits for a directory, registers there, and again when it comes back', async () => {
    const first = await listen('tcp://127.0.0.1:0');
    await first.close();
    const program = start('--bus', first.url);
    await program.line('nobody listens at that port');
    await program.line('waiting for it');
    const second = await listen(first.url);
    await program.line('12 services on');
    expect((await second.bus.services()).map(({ name }) => name)).toContain('ALTextToSpeech');
    await second.close();
    await program.line('The bus is down');
    const third = await listen(first.url);
    await program.line('12 services on');
    const removed = new Promise<void>((resolve) => {
      third.bus.listen({ serviceRemoved: ({ name }) => name === 'ALMotion' && resolve() });
    });
    expect(await program.end()).toBe(0);
    await removed;
    await third.close();
  });

  it('says what is wrong with its options', async () => {
    const { code, stderr } = await runProgram(process.execPath, [MAIN, '--bus', 'robot']);
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(/^simulated robot: --bus: .*--help lists the options\.\n$/),
    ]);
    expect((await runProgram(process.execPath, [MAIN, '--help'])).stdout).toContain(
      'Usage: node simulated-robot/main.ts',
    );
  });
});
