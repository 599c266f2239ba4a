// What the two ends of a simulation hold of each other, and what is left when there should be nothing. Support of the tests.
import type { ClientSession } from '@qiway/protocol/session/client-session';
import { ROBOT_SERVICES, type SimAgent } from './sim-agent.ts';
import type { SimClient } from './sim-client.ts';

export interface BothEnds {
  readonly agent: SimAgent;
  readonly client: SimClient;
}

/** Is what the client talks over whole? */
export function hasSoundCable({ cable, dialer }: SimClient): boolean {
  return dialer.cables.some(({ id, isSound }) => id === cable && isSound);
}

/** Of the living session, what each end holds: of the client, then of the agent. */
export function countsOf({ agent, client }: BothEnds): readonly (ClientSession['counts'] | undefined)[] {
  const id = client.session?.sessionId;
  const there = agent.host.sessions.find((session) => session.id === id);
  return [client.session?.counts, there?.counts];
}

/** Bytes that wait or are not acknowledged, at each end. */
export function queuedBytes(ends: BothEnds): readonly number[] {
  return countsOf(ends).map((counts) => counts?.queuedBytes ?? 0);
}

/** Objects that calls gave are gone at both ends, and registrations but those on the directory. */
export function isLetGo(ends: BothEnds): boolean {
  const [here, there] = countsOf(ends);
  return here?.servedObjects === 0 && there?.servedObjects === 0 && there.subscriptions <= 2;
}

/** What is left once the client has closed its session, in words. @param counts what the closed session holds */
export function leftOver({ agent, client }: BothEnds, counts: object | undefined): readonly string[] {
  const { host, serviceNames, services } = agent;
  const left: string[] = [];
  if (host.sessions.length > 0) left.push(`${host.sessions.length} sessions are left`);
  if (serviceNames.length !== ROBOT_SERVICES.length + 1) left.push(`services are left: ${serviceNames.join(', ')}`);
  if (counts !== undefined && Object.values(counts).some((count) => count !== 0))
    left.push(`the closed session holds ${JSON.stringify(counts)}`);
  for (const service of [...services.values(), client.tab]) {
    if (service.subscriptions > 0) left.push(`${service.subscriptions} subscriptions are left`);
    for (const made of service.made)
      if (made.references !== 0) left.push(`an object has ${made.references} references left`);
  }
  for (const service of services.values())
    if (service.references !== 1) left.push(`a service has ${service.references} references`);
  if (client.tab.references !== 1) left.push(`the client's service has ${client.tab.references} references`);
  return left;
}
