// A newer version of the console waits: small, and nothing happens before a person says so. Layer: views.
import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import type { ConsoleState } from '../console-state.ts';
import { Icon } from '../parts/icons.tsx';

export function NewerNotice({ state }: { readonly state: ConsoleState }): JSX.Element | null {
  const isPutOff = useSignal(false);
  if (!state.worker.isNewer.value || isPutOff.value) return null;
  return (
    <section class="notice newer" role="status">
      <p class="grow small">A new version of the console is here.</p>
      <button type="button" class="button" onClick={() => state.worker.takeNewer()}>
        Reload
      </button>
      <button type="button" class="button icon quiet" aria-label="Later" onClick={() => (isPutOff.value = true)}>
        <Icon name="close" />
      </button>
    </section>
  );
}
