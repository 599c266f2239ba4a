// Shows the toasts. Layer: parts.
import type { JSX } from 'preact';
import type { Toasts } from '../toasts.ts';
import { Icon } from './icons.tsx';

export function Toaster({ toasts }: { readonly toasts: Toasts }): JSX.Element {
  return (
    <div class="toasts" role="log" aria-live="polite" aria-label="Messages">
      {toasts.shown.value.map(({ id, text, from }) => (
        <div key={id} class={`toast ${from === 'robot' ? 'from-robot' : ''}`}>
          <p>
            {from === 'robot' && <span class="visually-hidden">From the robot: </span>}
            {text}
          </p>
          <button type="button" class="button icon quiet" aria-label="Dismiss" onClick={() => toasts.dismiss(id)}>
            <Icon name="close" />
          </button>
        </div>
      ))}
    </div>
  );
}
