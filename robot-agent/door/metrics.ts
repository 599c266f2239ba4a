// What the agent counts, as Prometheus text (exposition format 0.0.4).

/** `silence`: nothing was heard. `stalled`: nothing was read. `closed`: by the other side, or by the network. */
export type LinkLossReason = 'silence' | 'stalled' | 'closed';
/**
 * `wanted`: somebody closed it. `left`: its page was left. `away`: it did not come back. `limit`: it kept more than a
 * session, or all of them together, may. `error`: what it said made no sense, or the agent ended it for another reason.
 */
export type SessionEndReason = 'wanted' | 'left' | 'away' | 'limit' | 'error';
const LOSS_REASONS: readonly LinkLossReason[] = ['silence', 'stalled', 'closed'];
const END_REASONS: readonly SessionEndReason[] = ['wanted', 'left', 'away', 'limit', 'error'];

/** Counters that the door and the sessions raise. */
export interface Counts {
  sessionsStarted: number;
  sessionsRefused: number;
  /** Handshakes that went through, by whether what follows is sealed. */
  readonly links: Map<'yes' | 'no', number>;
  /** Sessions that went on over another link. */
  sessionsResumed: number;
  /** Sessions that lost their link and were kept, and sessions that ended. */
  readonly linksLost: Map<LinkLossReason, number>;
  readonly sessionsEnded: Map<SessionEndReason, number>;
  httpCalls: number;
  /** Failsafes that were made, and calls of them that failed. */
  failsafesFired: number;
  failsafeCallsFailed: number;
  /** Calls and posts that a lease, or lateness, stood against. */
  callsHeldBack: number;
  /** Events of subscriptions that did not go to a client: as it wished, and because it read too slowly. */
  eventsThinned: number;
  eventsMissed: number;
  linkBytesReceived: number;
  linkBytesSent: number;
  linkMessagesReceived: number;
  linkMessagesSent: number;
  /** HTTP responses by status. */
  readonly responses: Map<number, number>;
}

export function createCounts(): Counts {
  return {
    sessionsStarted: 0,
    sessionsRefused: 0,
    links: new Map([
      ['yes', 0],
      ['no', 0],
    ]),
    sessionsResumed: 0,
    linksLost: new Map(LOSS_REASONS.map((reason) => [reason, 0])),
    sessionsEnded: new Map(END_REASONS.map((reason) => [reason, 0])),
    httpCalls: 0,
    failsafesFired: 0,
    failsafeCallsFailed: 0,
    callsHeldBack: 0,
    eventsThinned: 0,
    eventsMissed: 0,
    linkBytesReceived: 0,
    linkBytesSent: 0,
    linkMessagesReceived: 0,
    linkMessagesSent: 0,
    responses: new Map(),
  };
}

/** What is not counted but looked at when asked. */
export interface Readings {
  readonly version: string;
  readonly isBusUp: boolean;
  /** Now, by protocol. */
  readonly sessions: { readonly link: number; readonly qi: number };
  /** Of them without a link at the moment. */
  readonly detachedSessions: number;
  /** What the journal of calls that run once keeps. */
  readonly journal: { readonly calls: number; readonly bytes: number; readonly running: number };
  /** Sums over all sessions. */
  readonly held: Held;
}

/** What sessions hold at the moment. */
export interface Held {
  /** Calls of clients that are under way. */
  readonly calls: number;
  readonly subscriptions: number;
  /** Objects given to clients. */
  readonly objects: number;
  /** Bytes that wait for clients. */
  readonly queuedBytes: number;
}

function labelled(label: string, values: ReadonlyMap<string, number>): [string, number][] {
  return [...values].map(([name, value]) => [`{${label}="${name}"}`, value]);
}

export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

export function metricsText(counts: Counts, readings: Readings): string {
  const lines: string[] = [];
  const family = (
    name: string,
    type: 'counter' | 'gauge',
    help: string,
    samples: readonly [labels: string, value: number][],
  ): void => {
    lines.push(
      `# HELP ${name} ${help}`,
      `# TYPE ${name} ${type}`,
      ...samples.map(([labels, value]) => `${name}${labels} ${value}`),
    );
  };
  const one = (value: number): [string, number][] => [['', value]];
  const { user, system } = process.cpuUsage();
  family('qiway_info', 'gauge', 'The version of the agent.', [[`{version="${readings.version}"}`, 1]]);
  family('qiway_bus_up', 'gauge', "1 when the robot's bus answers.", one(readings.isBusUp ? 1 : 0));
  const { link, qi } = readings.sessions;
  family('qiway_sessions', 'gauge', 'Sessions now.', one(link + qi));
  family('qiway_qi_sessions', 'gauge', 'Sessions of qi programs now.', one(qi));
  family('qiway_detached_sessions', 'gauge', 'Sessions without a link now.', one(readings.detachedSessions));
  family('qiway_session_calls', 'gauge', 'Calls of sessions under way.', one(readings.held.calls));
  family('qiway_session_subscriptions', 'gauge', 'Subscriptions of sessions.', one(readings.held.subscriptions));
  family('qiway_session_objects', 'gauge', 'Objects given to sessions.', one(readings.held.objects));
  family('qiway_session_queued_bytes', 'gauge', 'Bytes that wait for sessions.', one(readings.held.queuedBytes));
  family('qiway_sessions_total', 'counter', 'Sessions welcomed.', one(counts.sessionsStarted));
  family(
    'qiway_sessions_refused_total',
    'counter',
    'Links and qi programs refused before they became a session.',
    one(counts.sessionsRefused),
  );
  family(
    'qiway_sessions_resumed_total',
    'counter',
    'Sessions that went on over another link.',
    one(counts.sessionsResumed),
  );
  family(
    'qiway_sessions_ended_total',
    'counter',
    'Sessions that ended. wanted: closed; left: its page was left; away: its client did not come back; limit: it kept more than it may, or most of all when that was too much; error: anything else.',
    labelled('reason', counts.sessionsEnded),
  );
  family(
    'qiway_links_lost_total',
    'counter',
    'Sessions that lost their link and wait for another. silence: nothing was heard; stalled: nothing was read; closed: by the other side or the network.',
    labelled('reason', counts.linksLost),
  );
  family('qiway_links_total', 'counter', 'Links after the handshake.', labelled('sealed', counts.links));
  family('qiway_journal_calls', 'gauge', 'Calls that the journal knows.', one(readings.journal.calls));
  family('qiway_journal_running_calls', 'gauge', 'Calls of the journal under way.', one(readings.journal.running));
  family('qiway_journal_bytes', 'gauge', 'Bytes of results that the journal keeps.', one(readings.journal.bytes));
  family(
    'qiway_link_received_bytes_total',
    'counter',
    'Bytes of link messages received.',
    one(counts.linkBytesReceived),
  );
  family('qiway_link_sent_bytes_total', 'counter', 'Bytes of link messages sent.', one(counts.linkBytesSent));
  family(
    'qiway_link_received_messages_total',
    'counter',
    'Link messages (batches) received.',
    one(counts.linkMessagesReceived),
  );
  family('qiway_link_sent_messages_total', 'counter', 'Link messages (batches) sent.', one(counts.linkMessagesSent));
  family(
    'qiway_events_thinned_total',
    'counter',
    'Events left out as their subscribers wished: policy latest, maxHz.',
    one(counts.eventsThinned),
  );
  family(
    'qiway_events_missed_total',
    'counter',
    'Events left out because a client read too slowly; it was told of a gap.',
    one(counts.eventsMissed),
  );
  family('qiway_http_calls_total', 'counter', 'Calls on the bus made for HTTP requests.', one(counts.httpCalls));
  family('qiway_failsafes_fired_total', 'counter', 'Failsafes made for silent sessions.', one(counts.failsafesFired));
  family(
    'qiway_failsafe_calls_failed_total',
    'counter',
    'Calls of failsafes that failed.',
    one(counts.failsafeCallsFailed),
  );
  family(
    'qiway_calls_held_back_total',
    'counter',
    'Calls refused for a lease of somebody else, or because they came too late to move the robot.',
    one(counts.callsHeldBack),
  );
  const responses: [string, number][] = [...counts.responses]
    .sort(([a], [b]) => a - b)
    .map(([status, count]) => [`{status="${status}"}`, count]);
  family('qiway_http_responses_total', 'counter', 'HTTP responses by status.', responses);
  family('process_cpu_seconds_total', 'counter', 'CPU time, user and system.', one((user + system) / 1e6));
  family('process_resident_memory_bytes', 'gauge', 'Resident memory.', one(process.memoryUsage.rss()));
  family(
    'process_start_time_seconds',
    'gauge',
    'Start of the process, Unix time.',
    one(Math.round(Date.now() / 1000 - process.uptime())),
  );
  return `${lines.join('\n')}\n`;
}
