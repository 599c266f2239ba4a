// The whole page's state, put together once and handed to the views. Layer: page state; the DOM only through `PageSeam`.
import { effect, type Signal, signal } from '@preact/signals';
import { connect, type Robot } from '@qiway/sdk';
import { failureText } from './failure-text.ts';
import { agentUrl, fragmentOf, withFragment } from './robot/address.ts';
import { type Control, createControl } from './robot/control.ts';
import { createDrive, type Drive } from './robot/drive.ts';
import { feedRobotState } from './robot/feed.ts';
import { createLink, type Link } from './robot/link.ts';
import type { Services } from './robot/robot-services.ts';
import { createRobotState, type RobotState } from './robot/robot-state.ts';
import type { Theme } from './theme.ts';
import { createToasts, type Toasts } from './toasts.ts';

export type ViewName = 'drive' | 'explore' | 'plot';

export const VIEWS: readonly ViewName[] = ['drive', 'explore', 'plot'];

export interface ConsoleState {
  readonly link: Link;
  readonly robot: RobotState;
  readonly drive: Drive;
  readonly control: Control;
  readonly toasts: Toasts;
  readonly theme: Theme;
  readonly view: Signal<ViewName>;
  /** Calls back after a while; returns how to prevent it. */
  readonly after: (delayMs: number, run: () => void) => () => void;
  /** The page is closed, or left: stops the robot if it drives, and says goodbye, so that nobody takes it for lost. */
  leave(): void;
  /** The stop button. */
  halt(): void;
  /** Runs something a person asked for; a failure becomes a message. */
  attempt(what: string, run: () => Promise<unknown> | undefined): void;
  openView(view: ViewName): void;
}

export interface PageSeam {
  readonly location: Pick<Location, 'origin' | 'hash'>;
  readonly history: Pick<History, 'replaceState'>;
  readonly sessionStorage: Pick<Storage, 'getItem' | 'setItem'>;
  readonly theme: Theme;
}

export function createConsole({ location, history, sessionStorage, theme }: PageSeam): ConsoleState {
  const after = (delayMs: number, run: () => void): (() => void) => {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  };
  const toasts = createToasts(after);
  const robot = createRobotState();
  const link = createLink({
    url: () => agentUrl(location, sessionStorage),
    connect: (url) => connect<Services>(url),
    after,
  });
  const control = createControl({ after, lost: (error) => toasts.show(failureText(error)) });
  const drive = createDrive({
    control,
    motor: () => (link.state.peek().kind === 'online' ? robot.motion.peek() : undefined),
    refused: (error) => toasts.show(failureText(error)),
    after,
  });
  const shownView = fragmentOf(location.hash).get('view');
  const view = signal<ViewName>(VIEWS.find((name) => name === shownView) ?? 'drive');

  effect(() => {
    const state = link.state.value;
    control.follow(state.kind === 'online' ? state.robot : undefined);
    if (state.kind !== 'online') {
      drive.lost();
      return undefined;
    }
    const stopFeeding = feedRobotState(robot, {
      robot: state.robot,
      after,
      onProblem: (service, error) => toasts.show(`${service}: ${failureText(error)}`),
    });
    hostDisplay(state.robot, toasts);
    return stopFeeding;
  });
  effect(() => {
    if (robot.motion.value !== undefined) drive.found();
  });
  // The robot stands; a hand that is still on the joystick has to let go before it moves again.
  effect(() => {
    if (control.firedAtMs.value !== undefined) drive.lost();
  });

  return {
    link,
    robot,
    drive,
    control,
    toasts,
    theme,
    view,
    after,
    leave() {
      drive.leave();
      link.close();
    },
    halt() {
      if (!drive.halt()) toasts.show('Not sent: there is no link to the robot’s motors.');
    },
    attempt(what, run) {
      const done = run();
      if (done === undefined) toasts.show(`${what}: the robot does not offer this at the moment.`);
      else done.catch((error: unknown) => toasts.show(`${what}: ${failureText(error)}`));
    },
    openView(name) {
      view.value = name;
      history.replaceState(null, '', withFragment(location.hash, 'view', name));
    },
  };
}

/** The page serves the robot: programs on the robot's bus can show a text here. The first console that asks has the name. */
function hostDisplay(robot: Robot<Services>, toasts: Toasts): void {
  const show = (text: unknown): void => toasts.show(String(text), 'robot');
  robot.host('ConsoleDisplay', { show }).catch(() => undefined);
}
