// What this page is, apart from its link: whether it opens without a network, what it lacks here and why, and what the browser
// remembers of the robot. Layer: views.
import { useSignal } from '@preact/signals';
import { type AbilityWords, abilityWords, type MissingAbility } from '@qiway/sdk';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import type { ConsoleState } from '../console-state.ts';
import type { OfflineReady } from '../own-worker.ts';

const OFFLINE: Readonly<Record<OfflineReady, string>> = {
  ready: 'Opens without a network, and shows what was last known',
  preparing: 'Is being made to open without a network',
  missing: 'Opens only with a network: the browser runs no worker for it here',
  insecure: 'Opens only with a network: at a plain http:// address browsers keep no pages',
};

/** Of an agent that made its own certificate: how to trust it. */
const INSTALL_PAGE = '/install';

export function PageFacts({ state }: { readonly state: ConsoleState }): JSX.Element {
  const offline = state.worker.offline.value;
  const missing = state.link.status.value?.missing ?? NOTHING;
  return (
    <section class="page-facts" aria-label="This page">
      <h3>This page</h3>
      <p class="small" data-figure="offline">
        {OFFLINE[offline]}.
      </p>
      {/* A page of https without a worker: its certificate was taken with a warning. Over http there is no such page. */}
      {offline === 'missing' && location.protocol === 'https:' && <TrustLink />}
      <Lacks missing={missing} />
      <div class="row">
        {state.worker.canInstall.value && (
          <button type="button" class="button compact" onClick={() => state.worker.install()}>
            Install
          </button>
        )}
        {state.known.value !== undefined && <ForgetButton state={state} />}
      </div>
    </section>
  );
}

const NOTHING: readonly MissingAbility[] = [];

/** What the browser keeps from this page, and below it what to do; the sentence about the network is said above. */
function Lacks({ missing }: { readonly missing: readonly MissingAbility[] }): JSX.Element | null {
  const words = useSignal<readonly AbilityWords[]>([]);
  useEffect(() => {
    let isCurrent = true;
    abilityWords(missing.filter(({ ability }) => ability !== 'service-worker')).then(
      (found) => {
        if (isCurrent) words.value = found;
      },
      // Without a network the sentences are not there either: the list stays out.
      () => undefined,
    );
    return () => {
      isCurrent = false;
    };
  }, [missing]);
  const advices = [...new Set(words.value.map(({ advice }) => advice))];
  if (advices.length === 0) return null;
  return (
    <details class="lacks">
      <summary class="small">What this page cannot do ({words.value.length})</summary>
      {advices.map((advice) => (
        <div key={advice}>
          <ul class="small">
            {words.value
              .filter((each) => each.advice === advice)
              .map(({ loss }) => (
                <li key={loss}>{loss}</li>
              ))}
          </ul>
          <p class="small soft">{advice}</p>
        </div>
      ))}
    </details>
  );
}

/** Shown where the agent has such a page. */
function TrustLink(): JSX.Element | null {
  const isOffered = useSignal(false);
  useEffect(() => {
    let isCurrent = true;
    fetch(INSTALL_PAGE, { method: 'HEAD' }).then(
      ({ ok }) => {
        if (isCurrent) isOffered.value = ok;
      },
      () => undefined,
    );
    return () => {
      isCurrent = false;
    };
  }, []);
  if (!isOffered.value) return null;
  return (
    <p class="small">
      <a href={INSTALL_PAGE}>Trust this robot’s certificate</a>, and open its https:// address.
    </p>
  );
}

function ForgetButton({ state }: { readonly state: ConsoleState }): JSX.Element {
  const isAsked = useSignal(false);
  if (!isAsked.value)
    return (
      <button type="button" class="button compact" onClick={() => (isAsked.value = true)}>
        Forget this robot
      </button>
    );
  return (
    <>
      <p class="small soft">Its token, what was last known of it, and the calls that wait for it are removed here.</p>
      <button type="button" class="button compact" onClick={() => state.attempt('Forget', () => state.forget())}>
        Forget it now
      </button>
      <button type="button" class="button compact" onClick={() => (isAsked.value = false)}>
        Keep it
      </button>
    </>
  );
}
