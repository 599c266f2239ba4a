// What is shown before there is a link: connecting, no token, a refused token, nobody there. Layer: views.
import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import type { ConsoleState } from '../console-state.ts';
import { failureText } from '../failure-text.ts';
import { LedRing } from '../parts/led-ring.tsx';
import { readPasted, withRobot } from '../robot/address.ts';
import type { LinkState } from '../robot/link.ts';
import { CheckList } from './check-list.tsx';

const TEXTS = {
  'no-token': {
    title: 'Which robot?',
    text: 'Open the whole URL that the robot agent printed when it started, to the end of #token=…, or paste it here.',
  },
  refused: {
    title: 'The robot refused this page',
    text: 'The agent that was reached does not take this page as it is. Paste the URL that it printed last.',
  },
  lost: {
    title: 'Nobody answers at this address',
    text: 'The console keeps trying. Is the robot agent running, and is this device in the robot’s network?',
  },
} as const;

/** In place of nobody. */
const ANOTHER = {
  title: 'Another robot answers at this address',
  text: 'This page belongs to one robot and says nothing to any other; it keeps looking. If the robot was set up anew, paste the URL that its agent prints now.',
} as const;

/** By code of the error. */
const REFUSED: Readonly<Record<string, { readonly title: string; readonly text: string }>> = {
  unauthorized: {
    title: 'The robot refused this token',
    text: 'The agent was given another since, or keeps its state elsewhere. Paste the URL that it printed last.',
  },
  'protocol-mismatch': {
    title: 'This console is of another version',
    text: 'The robot’s agent speaks another version of the link than this page. Reload the page; if that does not help, update the older of the two.',
  },
};

function textsOf(link: Exclude<LinkState, { readonly kind: 'dialling' | 'online' }>): {
  readonly title: string;
  readonly text: string;
} {
  if (link.kind === 'refused') return REFUSED[link.error.code] ?? TEXTS.refused;
  if (link.kind === 'lost' && link.error.code === 'robot-identity-mismatch') return ANOTHER;
  return TEXTS[link.kind];
}

export function Doorway({ state }: { readonly state: ConsoleState }): JSX.Element {
  const link = state.link.state.value;
  if (link.kind === 'dialling' || link.kind === 'online') {
    return (
      <section class="plate doorway dialling" aria-busy="true">
        <LedRing segments={8} lit={(segment) => 0.3 + (segment / 8) * 0.7} thickness={0.36} />
        <h1>Connecting…</h1>
        <p class="soft">{location.host}</p>
      </section>
    );
  }
  const { title, text } = textsOf(link);
  return (
    <section class={`plate doorway ${link.kind === 'no-token' ? '' : 'tone-stop'}`}>
      <LedRing
        segments={8}
        lit={(segment) => (link.kind === 'no-token' || segment % 2 === 0 ? 1 : 0)}
        thickness={0.36}
      />
      <div class="stack" role="alert">
        <h1>{title}</h1>
        <p>{text}</p>
        {/* Of a robot that does not answer the check below says more. */}
        {link.kind === 'refused' && <p class="small soft">{failureText(link.error)}</p>}
      </div>
      {link.kind === 'lost' && (
        <div>
          <button
            type="button"
            class="button main"
            aria-disabled={link.isTrying}
            onClick={() => !link.isTrying && state.link.dial()}
          >
            {link.isTrying ? 'Trying…' : 'Try now'}
          </button>
        </div>
      )}
      {link.kind === 'lost' && <CheckList check={state.check} isAutomatic />}
      <PasteForm />
    </section>
  );
}

function PasteForm(): JSX.Element {
  const pasted = useSignal('');
  const problem = useSignal('');
  const onSubmit = (event: SubmitEvent): void => {
    event.preventDefault();
    try {
      const { url, isHere } = readPasted(pasted.value, location.origin);
      const fragment = withRobot(location.hash, url);
      if (!isHere) location.assign(url);
      else if (fragment === location.hash) problem.value = 'This is the token that was refused.';
      else location.hash = fragment;
    } catch (error) {
      problem.value = error instanceof Error ? error.message : String(error);
    }
  };
  return (
    <form onSubmit={onSubmit} noValidate>
      <label class="label" for="pasted">
        URL of the robot, or its token
      </label>
      <div class="go">
        <input
          id="pasted"
          class="field code"
          value={pasted}
          placeholder="http://…/#token=…"
          autocomplete="off"
          autocapitalize="off"
          spellcheck={false}
          aria-invalid={problem.value !== ''}
          aria-describedby="pasted-problem"
          onInput={(event) => {
            pasted.value = event.currentTarget.value;
            problem.value = '';
          }}
        />
        <button type="submit" class="button main">
          Connect
        </button>
      </div>
      <p id="pasted-problem" class="small problem" role="status">
        {problem}
      </p>
    </form>
  );
}
