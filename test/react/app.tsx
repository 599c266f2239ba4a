// A React app as a user would write it: what the hooks say, shown as JSON. Bundled and driven by hooks.test.ts.
/** @jsxImportSource react */
import { type ReactElement, StrictMode, useState } from 'react';
import { createRoot } from 'react-dom/client';
import type { Property, Signal } from '../../sdk/index.ts';
import { RobotProvider, useProperty, useRobot, useService, useSignal } from '../../sdk/react/index.ts';

export interface Services {
  Thing: {
    said: Signal<[word: string]>;
    volume: Property<number>;
  };
}

/** What the test reads and does. */
export interface AppGlobals {
  /** Of the robot. */
  agentUrl: string;
  show(parts: { readonly panels?: number; readonly hasHolder?: boolean }): void;
  setVolume(value: number): Promise<string | undefined>;
  retry(): void;
}

/** What a panel shows; null is undefined. */
export interface Shown {
  readonly state: string | null;
  readonly error: string | null;
  readonly service: string | null;
  readonly heard: readonly string[];
  readonly latest: readonly unknown[] | null;
  readonly missed: number;
  readonly volume: number | null;
  readonly isStale: boolean;
}

const app = globalThis as unknown as AppGlobals;

function Panel(): ReactElement {
  const { robot, status, error, retry } = useRobot<Services>(app.agentUrl);
  const { service, error: serviceError } = useService(robot, 'Thing');
  const [heard, setHeard] = useState<readonly string[]>([]);
  useSignal(service?.said, (word) => setHeard((before) => [...before, word]));
  const { args, missed } = useSignal(service?.said, { latest: true });
  const [volume, setVolume, { isStale }] = useProperty(service?.volume);
  app.setVolume = async (value) => (await setVolume(value))?.code;
  app.retry = retry;
  const shown: Shown = {
    state: status?.state ?? null,
    error: error?.code ?? null,
    service: service === undefined ? (serviceError?.code ?? null) : 'here',
    heard,
    latest: args ?? null,
    missed,
    volume: volume ?? null,
    isStale,
  };
  return <pre className="panel">{JSON.stringify(shown)}</pre>;
}

/** Keeps the link. */
function Holder(): ReactElement {
  const { robot } = useRobot(app.agentUrl);
  return <p>{robot?.status.state}</p>;
}

function App(): ReactElement {
  const [{ panels, hasHolder }, change] = useState({ panels: 2, hasHolder: true });
  app.show = (parts) => change((before) => ({ ...before, ...parts }));
  return (
    <>
      {hasHolder && <Holder />}
      {Array.from({ length: panels }, (_, index) => `panel ${index}`).map((key) => (
        <Panel key={key} />
      ))}
    </>
  );
}

createRoot(document.body.appendChild(document.createElement('main'))).render(
  <StrictMode>
    <RobotProvider options={{ worker: false, lingerMs: 100 }}>
      <App />
    </RobotProvider>
  </StrictMode>,
);
