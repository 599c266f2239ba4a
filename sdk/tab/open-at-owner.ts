// A tab has the owner open a robot: the line to the owner, and the news of the robot over a port. Knows no session.
import { transfer } from 'comlink';
import { type RobotKey, type Snapshot, takeOutcome } from '../owner/owner-port.ts';
import { type OwnerLine, openOwnerLine } from './owner-line.ts';
import type { TabSessionRequest } from './tab-state.ts';

export interface OpenedAtOwner {
  readonly line: OwnerLine;
  readonly key: RobotKey;
  readonly snapshot: Snapshot;
}

export interface OwnerNews {
  /** The line is there; what it is told comes from now on. */
  begins(line: OwnerLine): void;
  hear(line: OwnerLine, snapshot: Snapshot): void;
  gone(line: OwnerLine): void;
}

/** @throws `unsupported` where there is no worker; as `OpenRobotSession` */
export async function openAtOwner(request: TabSessionRequest, news: OwnerNews): Promise<OpenedAtOwner> {
  const { worker, clock, agent, token, timeoutMs, offline } = request;
  let line: OwnerLine | undefined;
  line = await openOwnerLine({ worker, clock, onGone: () => line !== undefined && news.gone(line) });
  const opened = line;
  news.begins(opened);
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = ({ data }: MessageEvent<Snapshot>) => news.hear(opened, data);
  opened.ports.push(port1);
  try {
    const wanted = { agent, token, timeoutMs, offline };
    return { line: opened, ...takeOutcome(await opened.owner.open(wanted, transfer(port2, [port2]))) };
  } catch (error) {
    opened.end();
    throw error;
  }
}
