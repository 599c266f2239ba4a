// The hooks on a server: a defined empty state, and nothing is connected to.
import { createElement, type ReactElement } from 'react';
import { renderToString } from 'react-dom/server';
import { expect, test } from 'vitest';
import type { Property, Signal } from '../../sdk/index.ts';
import { RobotProvider, useProperty, useRobot, useService, useSignal } from '../../sdk/react/index.ts';

interface Services {
  Thing: { said: Signal<[word: string]>; volume: Property<number> };
}

const seen: unknown[] = [];

function Page(): ReactElement {
  const { robot, status, error, retry } = useRobot<Services>('http://127.0.0.1:1/#token=none');
  const { service, error: serviceError } = useService(robot, 'Thing');
  const said = useSignal(service?.said, { latest: true });
  const heard = useSignal(service?.said, () => {});
  const [volume, , state] = useProperty(service?.volume);
  retry();
  seen.push({ robot, status, error, service, serviceError, said, heard, volume, state });
  return createElement('p', null, status?.state ?? 'nothing yet');
}

test('rendering on a server shows what there is before anything is known', () => {
  const nothing = { args: undefined, missed: 0, error: undefined };
  expect(renderToString(createElement(RobotProvider, {}, createElement(Page)))).toBe('<p>nothing yet</p>');
  expect(seen).toEqual([
    {
      robot: undefined,
      status: undefined,
      error: undefined,
      service: undefined,
      serviceError: undefined,
      said: nothing,
      heard: nothing,
      volume: undefined,
      state: { error: undefined, isStale: true },
    },
  ]);
});
