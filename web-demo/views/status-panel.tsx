// All that is known of the link: what it is, what waits, what happened. Layer: views.
import { useSignal } from '@preact/signals';
import type { Status } from '@qiway/sdk';
import type { ComponentChildren, JSX } from 'preact';
import type { ConsoleState } from '../console-state.ts';
import { Icon } from '../parts/icons.tsx';
import { SparkLine } from '../parts/spark-line.tsx';
import { clockText } from '../parts/time-line.tsx';
import {
  busText,
  lossText,
  ownerText,
  routeText,
  rttText,
  sealText,
  sessionText,
  shortId,
} from '../robot/status-words.ts';
import { CheckList } from './check-list.tsx';
import { PageFacts } from './page-facts.tsx';
import { StatusNow } from './status-now.tsx';
import { WaitingList } from './waiting-list.tsx';

interface PanelProps {
  readonly state: ConsoleState;
}

export function StatusPanel({ state }: PanelProps): JSX.Element {
  const status = state.link.status.value;
  return (
    <section id="status-panel" class="status-panel" aria-label="The link to the robot">
      <div class="status-part">
        <StatusNow state={state} />
        {/* Before the first link there is nothing to say of it. */}
        {status !== undefined && status.address !== '' && <StatusFacts state={state} status={status} />}
        {state.link.state.value.kind !== 'no-token' && <CheckList check={state.check} />}
        <PageFacts state={state} />
      </div>
      <div class="status-part">
        <WaitingList state={state} />
        <Happened state={state} />
      </div>
      <button
        type="button"
        class="button icon quiet status-close"
        aria-label="Close what is known of the link"
        onClick={() => (state.isStatusOpen.value = false)}
      >
        <Icon name="close" />
      </button>
    </section>
  );
}

function StatusFacts({ state, status }: PanelProps & { readonly status: Status }): JSX.Element {
  const { happened, link } = state;
  const trips = happened.roundTrips.value.map(({ rttMs }) => rttMs);
  const isOnline = link.state.value.kind === 'online';
  const isLinked = happened.isLinked.value;
  return (
    <dl class="facts">
      <Fact name={isOnline ? 'Address' : 'Address, last'} figure="address">
        <span class="figures">{`${status.address}, ${routeText(status.route)}`}</span>
      </Fact>
      {isLinked && (
        <>
          <Fact name="Round trip" figure="round-trip">
            <span class="figures">{rttText(link.rttMs.value)}</span>
            <SparkLine values={trips} room={60} />
            {trips.length > 1 && (
              <span class="small soft figures">
                {rttText(Math.min(...trips))} to {rttText(Math.max(...trips))}
              </span>
            )}
          </Fact>
          <Fact name="Privacy" figure="seal">
            {sealText(status.isSealed)}
          </Fact>
        </>
      )}
      <Fact name="Held by" figure="owner">
        {ownerText(status.owner)}
      </Fact>
      <Fact name="Session" figure="session">
        {sessionText(happened.resumes.value, { isRenewed: status.lost !== undefined, isLinked })}
        {status.lost !== undefined && <span class="small soft">{lossText(status.lost)}.</span>}
      </Fact>
      {isLinked && (
        <>
          <Fact name="Robot’s bus" figure="bus">
            {busText(status)}
            {status.busReason !== undefined && status.bus === 'down' && (
              <span class="small soft">{status.busReason}</span>
            )}
          </Fact>
          {status.failsafe !== undefined && (
            <Fact name="Failsafe" figure="failsafe">
              {status.failsafe.state === 'armed'
                ? `Armed: stops the robot after ${status.failsafe.afterMs / 1000} s of silence`
                : 'Fired: the robot was stopped'}
            </Fact>
          )}
        </>
      )}
      <Fact name="Robot’s id" figure="robot-id">
        <RobotId state={state} id={status.robotId} />
      </Fact>
    </dl>
  );
}

function Fact({
  name,
  figure,
  children,
}: {
  readonly name: string;
  readonly figure: string;
  readonly children: ComponentChildren;
}): JSX.Element {
  return (
    <div>
      <dt>{name}</dt>
      <dd data-figure={figure}>{children}</dd>
    </div>
  );
}

/** Shortened, for the eye; the whole of it for the clipboard. Pages of plain http have none: then it is there to be marked. */
function RobotId({ state, id }: PanelProps & { readonly id: string }): JSX.Element {
  const isWhole = useSignal(false);
  const isCopied = useSignal(false);
  const copy = (): void => {
    const { clipboard } = navigator as { readonly clipboard?: Clipboard };
    if (clipboard === undefined) {
      isWhole.value = true;
      return;
    }
    clipboard.writeText(id).then(
      () => {
        isCopied.value = true;
        state.after(2000, () => (isCopied.value = false));
      },
      () => (isWhole.value = true),
    );
  };
  return (
    <>
      <span class={`code ${isWhole.value ? 'whole-id' : ''}`} title={id}>
        {isWhole.value ? id : shortId(id)}
      </span>
      <button type="button" class="button compact" onClick={copy}>
        {isCopied.value ? 'Copied' : 'Copy'}
      </button>
    </>
  );
}

function Happened({ state }: PanelProps): JSX.Element {
  const moments = state.happened.moments.value.toReversed();
  return (
    <div class="happened">
      <h3 id="happened-title">What happened</h3>
      {moments.length === 0 ? (
        <p class="small soft">Nothing yet</p>
      ) : (
        <ol aria-labelledby="happened-title">
          {moments.map(({ id, atMs, kind, text }) => (
            <li key={id} data-kind={kind}>
              <time class="figures soft" dateTime={new Date(atMs).toISOString()}>
                {clockText(atMs)}
              </time>
              <span>{text}</span>
            </li>
          ))}
        </ol>
      )}
    </div>
  );
}
