// The types of the hooks, held by the compiler: what a robot offers, and nothing else.
/** @jsxImportSource react */
import type { ReactElement } from 'react';
import type { Property, QiwayError, RemoteObject, Robot, Signal } from '../../sdk/index.ts';
import { RobotProvider, useProperty, useRobot, useService, useSignal } from '../../sdk/react/index.ts';

/** Compiles only if both types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(_: Same<A, B>): void {}

interface Services {
  Thing: { say(text: string): void; said: Signal<[word: string, at: number]>; volume: Property<number> };
}

export function Typed(): ReactElement {
  const { robot, status, error, retry } = useRobot<Services>('http://127.0.0.1:8080');
  same<typeof robot, Robot<Services> | undefined>(true);
  same<typeof error, QiwayError | undefined>(true);
  const { service } = useService(robot, 'Thing');
  same<typeof service, RemoteObject<Services['Thing']> | undefined>(true);
  // @ts-expect-error no service of that name
  useService(robot, 'Thang');
  const { args, missed } = useSignal(service?.said, { latest: true, maxHz: 10 });
  same<typeof args, [word: string, at: number] | undefined>(true);
  const handled = useSignal(service?.said, (word, at) => `${word.length} ${at.toFixed()}`, { policy: 'every' });
  useSignal(service?.said, () => {});
  // @ts-expect-error with a handler there are no latest arguments
  handled.args;
  // @ts-expect-error the signal has no number in front
  useSignal(service?.said, (word: number) => word);
  // @ts-expect-error a policy that is none
  useSignal(service?.said, { latest: true, policy: 'some' });
  const [volume, set, { isStale }] = useProperty(service?.volume);
  same<typeof volume, number | undefined>(true);
  same<ReturnType<typeof set>, Promise<QiwayError | undefined>>(true);
  // @ts-expect-error a number
  void set('loud');
  // @ts-expect-error a method is no property
  useProperty(service?.say);
  return (
    <RobotProvider options={{ lingerMs: 0, token: 'secret' }}>
      <button type="button" onClick={retry}>
        {status?.state} {missed} {String(isStale)}
      </button>
    </RobotProvider>
  );
}

export function Loose(): ReactElement {
  const { robot } = useRobot(undefined);
  const { service } = useService(robot, 'Anything');
  const { args } = useSignal(service?.['said'], { latest: true });
  same<typeof args, readonly unknown[] | undefined>(true);
  return <p>{args?.length}</p>;
}
