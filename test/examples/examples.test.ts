// Every example as a process of its own, against an agent with the services it uses. A file without a test fails here.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import {
  createObject,
  type HostedObject,
  type Members,
  method,
  property,
  signal,
} from '@qiway/protocol/objects/hosted-object';
import { type CallContext, QiwayError, remoteServices } from '@qiway/robot-agent/qi';
import { connect } from '@qiway/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RealRobot, realRobot } from '../sdk/real-robot.ts';
import { TOKEN } from '../support/agent-config.ts';
import { runProgram, terminalEnvironment } from '../support/run-program.ts';

const folder = new URL('../../examples/', import.meta.url);
let real: RealRobot;
let stops = 0;
const moves: number[] = [];

function speech(): HostedObject {
  const members: Members = {
    say: method('(s)', 'v', (text: string) => {
      for (const word of text.split(' ')) object.emit('wordSaid', word);
    }),
    getLanguage: method('()', 's', () => 'English'),
    wordSaid: signal('(s)'),
    volume: property('i', 50),
  };
  const object = createObject(members);
  return object;
}

function memory(): HostedObject {
  const subscribers = new Map<string, HostedObject>();
  return createObject({
    subscriber: method('(s)', 'o', (event: string) => {
      const known = subscribers.get(event) ?? createObject({ signal: signal('(m)') });
      subscribers.set(event, known);
      return known;
    }),
    raiseEvent: method('(sm)', 'v', (event: string, value: unknown) => subscribers.get(event)?.emit('signal', value)),
  });
}

function motion(): HostedObject {
  const moveTo = (_x: number, _y: number, _theta: number, context: CallContext): Promise<void> =>
    new Promise((_, reject) => context.onCancel(() => reject(new QiwayError('canceled', 'stopped'))));
  const stopMove = (): void => {
    stops += 1;
  };
  const moveToward = (x: number): void => void moves.push(x);
  return createObject({
    moveTo: method('(fff)', 'v', moveTo),
    moveToward: method('(fff)', 'v', moveToward),
    stopMove: method('()', 'v', stopMove),
  });
}

beforeAll(async () => {
  real = await realRobot({});
  await real.bus.host('ALTextToSpeech', speech());
  await real.bus.host('ALMemory', memory());
  await real.bus.host('ALMotion', motion());
});

afterAll(async () => {
  await real[Symbol.asyncDispose]();
});

async function run(name: string, ...args: string[]): Promise<string[]> {
  const { code, stdout, stderr } = await runProgram(process.execPath, [
    fileURLToPath(new URL(name, folder)),
    real.url,
    ...args,
  ]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout.trimEnd().split('\n');
}

const expected: Record<string, () => Promise<void>> = {
  'say.ts': async () => {
    expect(await run('say.ts', 'Good morning')).toEqual(['Said "Good morning" in English.']);
  },
  'follow-words.ts': async () => {
    const lines = await run('follow-words.ts');
    expect(lines.filter((line) => line.startsWith('callback'))).toEqual([
      'callback: one',
      'callback: two',
      'callback: three',
    ]);
    expect(lines.filter((line) => line.startsWith('loop'))).toEqual(['loop: one', 'loop: two', 'loop: three']);
  },
  'volume.ts': async () => {
    expect(await run('volume.ts')).toEqual(['now 60 %', 'now 50 %', 'again 50 %']);
  },
  'memory-event.ts': async () => {
    expect(await run('memory-event.ts')).toEqual(['Greeting: {"from":"example","times":2}']);
  },
  'drive-safely.ts': async () => {
    const before = stops;
    expect(await run('drive-safely.ts', '50')).toEqual(['Driving; failsafe armed.', 'Stopped.']);
    expect(moves).toHaveLength(1);
    expect(stops).toBe(before + 1); // its own: it closed in order
  },
  'stop-in-time.ts': async () => {
    const before = stops;
    expect(await run('stop-in-time.ts', '50')).toEqual(['Stopped: [canceled] The call was cancelled.']);
    expect(stops).toBe(before + 1);
  },
  'host-service.ts': async () => {
    const lines = await run('host-service.ts');
    expect(lines.toSorted()).toEqual(['5 letters shown', 'screen: Hello', 'touched at 3, 4']);
  },
  'explore.ts': async () => {
    const lines = await run('explore.ts');
    expect(lines).toContain('ALTextToSpeech: 16 methods, 3 signals, 1 properties');
    expect(lines.at(-1)).toBe('[member-not-found] The object has no member "sai". Did you mean say or wordSaid?');
  },
  'qi-client.ts': async () => {
    const program = spawn(process.execPath, [fileURLToPath(new URL('qi-client.ts', folder)), real.qiUrl, TOKEN], {
      env: terminalEnvironment(),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const lines = createInterface({ input: program.stdout })[Symbol.asyncIterator]();
    expect((await lines.next()).value).toBe('said in English');
    expect((await lines.next()).value).toMatch(/^ExampleGreeter is service \d+$/);
    const insider = remoteServices<{ ExampleGreeter: { greet(name: string): string } }>(real.bus);
    const greeter = await insider.service('ExampleGreeter');
    expect(await greeter.greet('robot')).toBe('hello robot');
    const ended = once(program, 'exit');
    program.kill('SIGTERM');
    expect((await lines.next()).value).toBe('ExampleGreeter is off the bus');
    expect(await ended).toEqual([0, null]);
  },
  'bus-service.ts': async () => {
    const program = spawn(process.execPath, [fileURLToPath(new URL('bus-service.ts', folder)), real.busUrl], {
      env: terminalEnvironment(),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const lines = createInterface({ input: program.stdout })[Symbol.asyncIterator]();
    expect((await lines.next()).value).toMatch(/^ExampleCounter is service \d+$/);
    await using robot = await connect<{ ExampleCounter: { next(): number } }>(real.url);
    const counter = await robot.service('ExampleCounter');
    expect([await counter.next(), await counter.next()]).toEqual([1, 2]);
    const ended = once(program, 'exit');
    program.kill('SIGTERM');
    expect((await lines.next()).value).toBe('ExampleCounter is off the bus');
    expect(await ended).toEqual([0, null]);
  },
};

describe('the example', () => {
  const files = readdirSync(folder).filter((name) => name.endsWith('.ts'));

  it.each(files)('%s does what it says', async (name) => {
    const check = expected[name];
    if (check === undefined) throw new Error(`examples/${name} has no test`);
    await check();
  });
});
