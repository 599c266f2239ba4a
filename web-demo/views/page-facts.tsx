// What this page is, apart from its link: whether it opens without a network, what it lacks here and why, and what the browser
// remembers of the robot. Layer: views.
import { useSignal } from '@preact/signals';
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
  return (
    <section class="page-facts" aria-label="This page">
      <h3>This page</h3>
      <p class="small" data-figure="offline">
        {OFFLINE[offline]}.
      </p>
      {(offline === 'insecure' || offline === 'missing') && <TrustLink />}
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
