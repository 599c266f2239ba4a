// Who is let into which session: clients made by hand, frame by frame.
import { QiwayError } from '@qiway/protocol/errors';
import { encodeControl, type Resume, type Told } from '@qiway/protocol/session/control';
import { memoryTransports } from '@qiway/protocol/transport/memory';
import {
  ControlType,
  emptyFrameHeader,
  FRAME_HEADER_BYTES,
  readFrameHeader,
  writeFrameHeader,
} from '@qiway/protocol/wire/link-frame';
import { MessageType } from '@qiway/protocol/wire/message';
import { describe, expect, it } from 'vitest';
import { type MemoryDoor, memoryDoor, TOKEN } from '../support/memory-session.ts';
import { settled } from '../support/virtual-clock.ts';

interface Frame {
  readonly type: number;
  readonly id: number;
  readonly body: Record<string, unknown>;
}

interface Raw {
  /** Control frames that came. */
  readonly got: Frame[];
  readonly closed: { code?: number | undefined };
  send(type: number, id: number): Promise<void>;
  first(): Frame | undefined;
  /** The link breaks. */
  lose(): Promise<void>;
}

interface Dialled {
  readonly clientId?: string;
  readonly token?: string;
  readonly attempt: number;
  readonly resume?: Resume;
}

async function dial(door: MemoryDoor, { clientId = 'client', token = '', attempt, resume }: Dialled): Promise<Raw> {
  const [ours, theirs] = memoryTransports();
  const got: Frame[] = [];
  const closed: { code?: number | undefined } = {};
  ours.listen({
    message: (bytes) => {
      const header = emptyFrameHeader();
      for (let at = 0; at < bytes.length; ) {
        readFrameHeader(bytes, at, header);
        at += FRAME_HEADER_BYTES;
        const text = new TextDecoder().decode(bytes.subarray(at, at + header.size));
        at += header.size;
        if (header.type < ControlType.hello) continue;
        got.push({ type: header.type, id: header.id, body: text.startsWith('{') ? JSON.parse(text) : {} });
      }
    },
    drain: () => {},
    close: (_reason, code) => {
      closed.code = code;
    },
  });
  const hello = encodeControl({ protocol: 2, token, client: 'raw', attempt, ...(resume !== undefined && { resume }) });
  door.host.accept(theirs, { hello, clientId, address: 'memory' });
  await settled();
  return {
    got,
    closed,
    first: () => got[0],
    lose: async () => {
      ours.close(1000, 'lost');
      await settled();
    },
    send: async (type, id) => {
      const bytes = new Uint8Array(FRAME_HEADER_BYTES);
      writeFrameHeader(bytes, 0, { ...emptyFrameHeader(), type, id });
      ours.send(bytes);
      await settled();
    },
  };
}

/** A session with one frame received. */
async function begun(door: MemoryDoor): Promise<{ readonly raw: Raw; readonly resume: Resume }> {
  const raw = await dial(door, { token: TOKEN, attempt: 1 });
  await raw.send(ControlType.attached, 0);
  await raw.send(MessageType.post, 1);
  const session = String(raw.first()?.body['session']);
  return { raw, resume: { session, epoch: 'epoch', received: 0, sent: 1 } };
}

describe('the host of sessions', () => {
  it('gives a session to nobody but the client that began it', async () => {
    const door = memoryDoor();
    const { raw, resume } = await begun(door);
    const thief = await dial(door, { clientId: 'thief', attempt: 9, resume });
    expect(thief.first()).toMatchObject({ type: ControlType.refuse, body: { code: 'unauthorized' } });
    const guest = await dial(door, { clientId: 'guest', token: TOKEN, attempt: 9, resume });
    expect(guest.first()).toMatchObject({ type: ControlType.welcome, body: { received: 0 } });
    expect(guest.first()?.body['session']).not.toBe(resume.session);
    await guest.send(ControlType.attached, 0);
    expect(raw.closed).toEqual({});
    expect(door.host.sessions.length).toBe(2);
  });

  it('gives one of an earlier start of the agent to nobody', async () => {
    const door = memoryDoor();
    const { resume } = await begun(door);
    const late = await dial(door, { attempt: 2, resume: { ...resume, epoch: 'before' } });
    expect(late.first()).toMatchObject({ type: ControlType.refuse, body: { code: 'unauthorized' } });
  });

  it('refuses a hello that is repeated, and one that is late', async () => {
    const door = memoryDoor();
    const { raw, resume } = await begun(door);
    const repeated = await dial(door, { attempt: 1, resume });
    expect(repeated.first()).toMatchObject({ type: ControlType.refuse, body: { code: 'superseded' } });
    const [second, third] = [await dial(door, { attempt: 2, resume }), await dial(door, { attempt: 3, resume })];
    await third.send(ControlType.attached, 1);
    expect(raw.closed).toEqual({ code: 4410 });
    await second.send(ControlType.attached, 1);
    expect(second.got.at(-1)).toMatchObject({ type: ControlType.refuse, body: { code: 'superseded' } });
    expect(third.closed).toEqual({});
    expect(door.serverSessions[0]?.attempt).toBe(3);
  });

  it('keeps a session that came back for good, and one that did not for its time', async () => {
    const door = memoryDoor({ keepMs: 10_000, heartbeatMs: 100_000 });
    const { raw, resume } = await begun(door);
    await raw.lose();
    const [session] = door.serverSessions;
    const second = await dial(door, { attempt: 2, resume });
    await second.send(ControlType.attached, 1);
    await door.clock.advance(20_000);
    expect(session?.state).toBe('attached');
    await second.lose();
    await door.clock.advance(9_999);
    expect(session?.state).toBe('detached');
    await door.clock.advance(1);
    expect(session?.state).toBe('closed');
  });

  it('tells rules once in a session, and what changed between welcome and attached', async () => {
    let told: Told = { bus: 'up', classes: [['A.*', 'motion']] };
    const door = memoryDoor({ told: () => told });
    const { raw, resume } = await begun(door);
    expect(raw.first()?.body).toMatchObject({ classes: told.classes });
    expect(raw.got.some(({ type }) => type === ControlType.status)).toBe(false);
    const second = await dial(door, { attempt: 2, resume });
    expect(second.first()?.body).toMatchObject({ session: resume.session, received: 1, bus: 'up' });
    expect(second.first()?.body).not.toHaveProperty('classes');
    told = { ...told, bus: 'down', busReason: 'gone' };
    await second.send(ControlType.attached, 1);
    expect(second.got.find(({ type }) => type === ControlType.status)?.body).toMatchObject({ bus: 'down' });
  });

  it('refuses a client that says it has what it cannot have', async () => {
    const door = memoryDoor();
    const { resume } = await begun(door);
    const liar = await dial(door, { attempt: 2, resume: { ...resume, received: 50 } });
    await liar.send(ControlType.attached, 1);
    expect(liar.got.at(-1)).toMatchObject({ type: ControlType.refuse, body: { code: 'wire-invalid' } });
  });

  it('calls stale what was sent before a silence that is too long for a robot that moves', async () => {
    const stale: boolean[] = [];
    const door = memoryDoor({
      guard: (session) => ({
        get isOnDuty() {
          stale.push(session.isStale);
          return false;
        },
        isLate: false,
        refuse: () => new QiwayError('motion-stale', 'It is late.', { data: { service: '', member: '' } }),
      }),
    });
    const { raw, resume } = await begun(door);
    stale.length = 0;
    await raw.send(MessageType.post, 2);
    await door.clock.advance(501);
    const second = await dial(door, { attempt: 2, resume: { ...resume, sent: 3 } });
    await second.send(ControlType.attached, 2);
    await second.send(MessageType.post, 3);
    await second.send(MessageType.post, 4);
    await door.clock.advance(499);
    const third = await dial(door, { attempt: 3, resume: { ...resume, sent: 5 } });
    await third.send(ControlType.attached, 4);
    await third.send(MessageType.post, 5);
    expect(stale).toEqual([false, true, false, false]);
  });
});
