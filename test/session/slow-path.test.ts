// A session over a path whose round trip takes longer than the time between two signs of life.
import type { Clock } from '@qiway/protocol/clock';
import type { Transport } from '@qiway/protocol/session/transport';
import { describe, expect, it } from 'vitest';
import { memoryDoor } from '../support/memory-session.ts';
import { settled } from '../support/virtual-clock.ts';

const WAY_MS = 200;

interface SlowPath {
  readonly transport: Transport;
  /** What is on its way still comes, and nothing after it. */
  die(): void;
}

function slowPath(inner: Transport, clock: Clock): SlowPath {
  let isDead = false;
  const later = (run: () => void): void => {
    if (!isDead) clock.after(WAY_MS, run);
  };
  const transport: Transport = {
    route: 'direct',
    bufferedBytes: 0,
    send: (message, rest) => {
      later(() => inner.send(message, rest));
      return true;
    },
    close: (code, reason) => inner.close(code, reason),
    listen: (listener) =>
      inner.listen({
        message: (bytes) => later(() => listener.message(bytes)),
        drain: () => listener.drain(),
        close: (reason, code) => listener.close(reason, code),
      }),
  };
  return {
    transport,
    die: () => {
      isDead = true;
    },
  };
}

async function start() {
  const door = memoryDoor();
  const paths: SlowPath[] = [];
  door.onDial = (transport) => {
    const path = slowPath(transport, door.clock);
    paths.push(path);
    return path.transport;
  };
  const opening = door.open();
  await door.clock.advance(3_000);
  return { door, session: await opening, paths };
}

describe('a session over a slow path', () => {
  it('stays on its link when it is to give signs of life more often than answers come', async () => {
    const { door, session } = await start();
    await door.clock.advance(900); // nothing was heard for almost a beat
    session.setBeat(66);
    await door.clock.advance(10_000);
    expect(door.dials.count).toBe(1);
    expect(session.sessionState).toBe('online');
  });

  it('measures the round trip then, too, and knows by it that the link is alive when it is asked', async () => {
    const { door, session } = await start();
    session.setBeat(66);
    await door.clock.advance(1_000);
    const measured: number[] = [];
    session.listenSession({ rttMeasured: (rttMs) => measured.push(rttMs) });
    session.probe();
    await door.clock.advance(5_000);
    expect(new Set(measured)).toEqual(new Set([2 * WAY_MS]));
    expect(measured.length).toBeGreaterThan(50);
    expect(door.dials.count).toBe(1);
  });

  it('does not take an answer to an earlier question for a sign of life', async () => {
    const { door, session, paths } = await start();
    session.ping();
    await door.clock.advance(WAY_MS + 10);
    paths[0]?.die(); // the answer is on its way
    session.probe();
    await door.clock.advance(1_300); // three round trips
    await settled();
    expect(door.dials.count).toBe(2);
  });

  it('bears as much silence as the agent asks for, however fast it beats itself', async () => {
    const { door, session, paths } = await start();
    session.setBeat(66);
    await door.clock.advance(1_000);
    paths[0]?.die();
    await door.clock.advance(2_000);
    expect(door.dials.count).toBe(1);
    await door.clock.advance(1_200);
    expect(door.dials.count).toBe(2);
  });
});
