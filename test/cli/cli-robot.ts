// A robot for the tests of the command line: services on an embedded bus, reached over transports in memory.

import type { SessionHostOptions } from '@qiway/protocol/session/session-host';
import { createObject, type HostedObject, method, property, QiwayError, signal } from '@qiway/sdk';
import { run } from '../../sdk/cli/run.ts';
import type { Terminal } from '../../sdk/cli/terminal.ts';
import { connect, type InternalConnectOptions } from '../../sdk/connect.ts';
import { parseAgentUrl } from '../../sdk/dial/agent-url.ts';
import { type MemoryDoor, memoryDoor } from '../support/memory-session.ts';

export interface CliRobot {
  readonly door: MemoryDoor;
  readonly speech: HostedObject;
  /** What was said, in order. */
  readonly said: unknown[][];
  /** Runs a command line to its end. */
  qiway(...argv: string[]): Promise<CliOutcome>;
  /** Starts one, to be interrupted. */
  start(...argv: string[]): CliRun;
}

export interface CliOutcome {
  readonly code: number;
  readonly out: string;
  readonly error: string;
  readonly files: ReadonlyMap<string, string | Uint8Array>;
}

export interface CliRun {
  readonly outcome: Promise<CliOutcome>;
  /** Ctrl-C. */
  interrupt(): void;
  /** Resolves once standard error holds `text`. */
  told(text: string): Promise<void>;
}

const URL_WITH_TOKEN = 'http://robot.test/#token=right';

export async function cliRobot(changes: Partial<SessionHostOptions> = {}): Promise<CliRobot> {
  const door = memoryDoor(changes);
  const said: unknown[][] = [];
  const speech = createObject(
    {
      say: [
        method('(s)', 'v', (text: string) => void said.push([text])),
        method('(ss)', 'v', (text: string, language: string) => void said.push([text, language])),
      ],
      add: method('(ii)', 'i', (a: number, b: number) => a + b),
      big: method('(L)', 'L', (value: bigint) => value),
      locate: method('((dd)<Place,x,y>)', '(dd)<Place,x,y>', (place: object) => place),
      bytes: method('(I)', 'r', (count: number) => new Uint8Array(count).fill(65)),
      anything: method('(m)', 'm', (value: unknown) => value),
      fail: method('(s)', 'v', (text: string) => {
        throw new Error(text);
      }),
      forever: method('()', 'v', (context: { onCancel(stop: () => void): void }) => {
        said.push(['forever']);
        return new Promise((_, reject) => context.onCancel(() => reject(new QiwayError('canceled', 'stopped'))));
      }),
      volume: property('i', 50, {
        set: (value: number) => {
          if (value > 100) throw new Error('at most 100');
          return value;
        },
      }),
      wordSaid: signal('(si)'),
    },
    { description: 'Speaks.' },
  );
  await door.bus.host('Speech', speech);
  await door.bus.host('_Hidden', createObject({ x: method('()', 'v', () => {}) }));

  const start = (...argv: string[]): CliRun => {
    const interrupt = new AbortController();
    const files = new Map<string, string | Uint8Array>();
    const waiting = new Set<() => void>();
    let out = '';
    let error = '';
    const terminal: Terminal = {
      out: (text) => {
        out += typeof text === 'string' ? text : Buffer.from(text).toString('latin1');
      },
      error: (text) => {
        error += text;
        for (const look of waiting) look();
      },
      interrupted: interrupt.signal,
      writeFile: async (path, content) => {
        files.set(path, content);
      },
    };
    const overMemory: typeof connect = (url, options) => {
      const internal: InternalConnectOptions = {
        ...options,
        clock: door.clock,
        dial: ({ url: given, token }) => door.open({ token: token ?? parseAgentUrl(given).token }),
      };
      return connect(url, internal);
    };
    const environment = { QIWAY_URL: URL_WITH_TOKEN };
    const outcome = run(argv, { terminal, environment, connect: overMemory }).then((code) => ({
      code,
      out,
      error,
      files,
    }));
    return {
      outcome,
      interrupt: () => interrupt.abort(),
      told: (text) =>
        new Promise((resolve) => {
          const look = (): void => {
            if (!error.includes(text)) return;
            waiting.delete(look);
            resolve();
          };
          waiting.add(look);
          look();
        }),
    };
  };
  return { door, speech, said, start, qiway: (...argv) => start(...argv).outcome };
}
