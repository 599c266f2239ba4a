// The calls that wait for the robot: what, since when, how long yet; each can be taken back. Layer: views.
import type { QueueEntry } from '@qiway/sdk';
import type { JSX } from 'preact';
import type { ConsoleState } from '../console-state.ts';
import { Icon } from '../parts/icons.tsx';
import { callText, durationText } from '../robot/status-words.ts';

interface WaitingProps {
  readonly state: ConsoleState;
  /** Of one service only, and nothing when none of it waits. */
  readonly service?: string;
}

export function WaitingList({ state, service }: WaitingProps): JSX.Element | null {
  const entries = state.waiting.entries.value.filter((entry) => service === undefined || entry.service === service);
  if (service !== undefined)
    return entries.length === 0 ? null : <Entries state={state} entries={entries} textOf={({ args }) => args} />;
  return (
    <div>
      <h3>Waiting calls</h3>
      {entries.length === 0 ? (
        <p class="small soft">None. What the robot is to say while it is away waits here.</p>
      ) : (
        <Entries state={state} entries={entries} textOf={callText} />
      )}
    </div>
  );
}

interface EntriesProps {
  readonly state: ConsoleState;
  readonly entries: readonly QueueEntry[];
  readonly textOf: (entry: QueueEntry) => string;
}

function Entries({ state, entries, textOf }: EntriesProps): JSX.Element {
  return (
    <ul class="waiting" aria-label="Calls that wait for the robot">
      {entries.map((entry) => (
        <li key={entry.id} data-state={entry.state}>
          <span class="grow">
            <span class="waiting-call">{textOf(entry)}</span>
            <span class="small soft figures">{ageOf(entry, state.nowMs.value)}</span>
          </span>
          <button
            type="button"
            class="button icon quiet"
            aria-label={`Take back ${textOf(entry)}`}
            title="Take it back"
            onClick={() => state.attempt('Take back', () => state.waiting.cancel(entry.id))}
          >
            <Icon name="close" />
          </button>
        </li>
      ))}
    </ul>
  );
}

function ageOf({ state, queuedAt, expiresAt }: QueueEntry, nowMs: number): string {
  if (state === 'sending') return 'being made now';
  const age = durationText(Math.max(1000, nowMs - queuedAt.getTime()));
  return `waits for ${age}, another ${durationText(Math.max(1000, expiresAt.getTime() - nowMs))} at most`;
}
