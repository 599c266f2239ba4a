// The whole page's state, put together once and handed to the views. Layer: page state; the DOM only through `PageSeam`.
import { computed, effect, type ReadonlySignal, type Signal, signal, untracked } from '@preact/signals';
import { connect, isQiwayError, type Robot } from '@qiway/sdk';
import { asSentence, failureText } from './failure-text.ts';
import { findRobot, type KnownRobot, type LastPlotted } from './memory/known-robot.ts';
import type { Memory } from './memory/memory.ts';
import { dropUntold, showSnapshot, takeSnapshot } from './memory/snapshot.ts';
import type { OwnWorker } from './own-worker.ts';
import { agentUrl, fragmentOf, pinned, urlOf, withFragment, withoutRobot } from './robot/address.ts';
import { type Check, type CheckOptions, createCheck } from './robot/check.ts';
import { type Control, createControl } from './robot/control.ts';
import { createDrive, type Drive } from './robot/drive.ts';
import { feedRobotState } from './robot/feed.ts';
import { offers } from './robot/follow.ts';
import { createHistory, type LinkHistory, type MomentKind } from './robot/history.ts';
import { createLink, type Link } from './robot/link.ts';
import { type Channel, createOtherTabs } from './robot/other-tabs.ts';
import type { Services } from './robot/robot-services.ts';
import { createRobotState, isRobotAway, type RobotState } from './robot/robot-state.ts';
import { createWaiting, type Waiting } from './robot/waiting.ts';
import type { Theme } from './theme.ts';
import { createToasts, type Toasts } from './toasts.ts';

export type ViewName = 'drive' | 'explore' | 'plot';

export const VIEWS: readonly ViewName[] = ['drive', 'explore', 'plot'];

export interface ConsoleState {
  readonly link: Link;
  readonly robot: RobotState;
  readonly drive: Drive;
  readonly control: Control;
  /** What this browser remembers of the robot that the page means; undefined: nothing. */
  readonly known: ReadonlySignal<KnownRobot | undefined>;
  /** When there was a link last; undefined: there is one, or never was. */
  readonly seenAtMs: ReadonlySignal<number | undefined>;
  /** What a plot shows, to be remembered. */
  readonly plotted: Signal<LastPlotted | undefined>;
  /** Whether the console opens without a network, and in which version. */
  readonly worker: OwnWorker;
  /** Of the way to the robot. */
  readonly check: Check;
  /** What happened to the link. */
  readonly happened: LinkHistory;
  /** Calls that wait for the robot. */
  readonly waiting: Waiting;
  readonly toasts: Toasts;
  readonly theme: Theme;
  readonly view: Signal<ViewName>;
  /** Whether all that is known of the link is shown. */
  readonly isStatusOpen: Signal<boolean>;
  /** The time, milliseconds since 1970; goes on once a second. */
  readonly nowMs: ReadonlySignal<number>;
  /** Calls back after a while; returns how to prevent it. */
  readonly after: (delayMs: number, run: () => void) => () => void;
  /** Looks for the robot that the page's address means. */
  dial(): void;
  /** Removes what this browser remembers of the robot, its token too, and the calls that wait for it. */
  forget(): Promise<void>;
  /** The page is closed, or left: stops the robot if it drives, and says goodbye, so that nobody takes it for lost. */
  leave(): void;
  /** The stop button. */
  halt(): void;
  /** Runs something a person asked for; a failure becomes a message. */
  attempt(what: string, run: () => Promise<unknown> | undefined): void;
  openView(view: ViewName): void;
}

/** Ages are shown in seconds. */
const TICK_MS = 1000;
/** What is lost of the last known state when the browser dies. */
const KEEP_MS = 3000;

export interface PageSeam {
  readonly location: Pick<Location, 'origin' | 'hash'>;
  readonly history: Pick<History, 'replaceState'>;
  readonly sessionStorage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;
  readonly memory: Memory;
  /** @param lookNow for the worker: the network may be back */
  readonly openWorker: (lookNow: () => void) => OwnWorker;
  readonly diagnose: CheckOptions['diagnose'];
  /** Between all consoles of this browser. */
  readonly openChannel: () => Channel;
  readonly theme: Theme;
}

export function createConsole({
  location,
  history,
  sessionStorage,
  memory,
  openWorker,
  diagnose,
  openChannel,
  theme,
}: PageSeam): ConsoleState {
  const after = (delayMs: number, run: () => void): (() => void) => {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  };
  const toasts = createToasts(after);
  const robot = createRobotState();
  const url = (): string | undefined => agentUrl(location, sessionStorage, memory.robots.peek()[0]?.url);
  const link = createLink({
    url,
    connect: (url) => connect<Services>(url, { offline: true }),
    after,
  });
  const happened = createHistory();
  const note = (kind: MomentKind, text: string): void => happened.note(kind, text, Date.now());
  const waiting = createWaiting({ tell: note });
  const control = createControl({
    after,
    lost: (error) => {
      const by = stoppedBy(error);
      const text = by === undefined ? failureText(error) : asSentence(`${by} stopped the robot`);
      // A hand has to let go first, as after a stop of this page.
      const isHeld = by !== undefined && drive.halted();
      toasts.show(isHeld ? `${text} Let go of the joystick to drive again.` : text);
      note('lease-lost', text);
    },
  });
  const drive = createDrive({
    control,
    motor: () => (link.state.peek().kind === 'online' ? robot.motion.peek() : undefined),
    refused: (error) => toasts.show(failureText(error)),
    begins: () => tabs.tellDrive(),
    isMoving: async () => {
      const motion = robot.motion.peek();
      // What is in its way is told, and a hand may steer around it.
      if (motion === undefined || robot.blockedBy.peek() !== undefined || !offers(motion, 'moveIsActive')) return true;
      return motion.moveIsActive();
    },
    after,
  });
  const tabs = createOtherTabs({
    openChannel,
    stopped: () => {
      if (drive.halted()) toasts.show('Stopped in another tab. Let go of the joystick to drive again.');
    },
    // Both took the motors at the same moment: neither knows what the other commands.
    driven: () => {
      if (!drive.halted()) return;
      tabs.tellStop();
      toasts.show('Two tabs drove at once: the robot was stopped.');
    },
  });
  const shownView = fragmentOf(location.hash).get('view');
  const view = signal<ViewName>(VIEWS.find((name) => name === shownView) ?? 'drive');
  const plotted = signal<LastPlotted | undefined>(undefined);
  const known = signal<KnownRobot | undefined>(undefined);
  /** What is shown was read, and not told by the robot yet. */
  let isFromMemory = false;
  let keptAtMs = 0;

  function recall(): void {
    const target = url();
    const found = target === undefined ? undefined : findRobot(memory.robots.peek(), target);
    if (found !== undefined && found.id === known.peek()?.id) return;
    if (found !== undefined || known.peek() !== undefined) {
      showSnapshot(robot, found?.snapshot);
      plotted.value = found?.plotted;
      isFromMemory = true;
    }
    known.value = found;
  }
  function keep(atMs: number): void {
    const { robotId = '', address = '' } = link.status.peek() ?? {};
    const target = url();
    if (robotId === '' || target === undefined || isFromMemory || robot.services.peek() === undefined) return;
    keptAtMs = atMs;
    const seen: KnownRobot = {
      id: robotId,
      url: urlOf(target, robotId),
      address,
      seenAtMs: atMs,
      // An agent whose robot is switched off has none of its services.
      snapshot: isRobotAway(robot.services)
        ? { ...takeSnapshot(robot), services: known.peek()?.snapshot.services }
        : takeSnapshot(robot),
      plotted: plotted.peek(),
    };
    memory.keep(seen);
    known.value = memory.find(seen.url);
  }

  effect(() => {
    const { value } = link.robot;
    return untracked(() => {
      control.follow(value);
      waiting.follow(value?.queue);
      if (value === undefined) return undefined;
      const stopFeeding = feedRobotState(robot, {
        robot: value,
        after,
        onRobot: (names) => {
          if (isFromMemory && link.state.peek().kind === 'online') dropUntold(robot, names);
          isFromMemory &&= link.state.peek().kind !== 'online';
        },
        onProblem: (service, error) => toasts.show(`${service}: ${failureText(error)}`),
      });
      hostDisplay(value, toasts);
      return stopFeeding;
    });
  });
  effect(() => {
    const status = link.status.value;
    if (status !== undefined) untracked(() => happened.observe(status, Date.now()));
  });
  // Who opened a URL without the robot's id believed whoever answered the first time; not again.
  effect(() => {
    const { robotId = '', state: linkState } = link.status.value ?? {};
    if (linkState !== 'online' || robotId === '') return;
    const fragment = pinned(location.hash, robotId, sessionStorage);
    if (fragment !== undefined) history.replaceState(null, '', fragment);
  });
  // What moves the robot is never held for later: with the link goes the hand on the joystick.
  effect(() => {
    if (link.state.value.kind !== 'online') drive.lost();
    else if (robot.motion.value !== undefined) drive.found();
  });
  effect(() => {
    if (control.isOwn.value) untracked(() => note('lease-taken', 'This page has the motors.'));
  });
  const nowMs = signal(Date.now());
  effect(() => {
    if (link.state.value.kind === 'online' && nowMs.value - keptAtMs >= KEEP_MS) untracked(() => keep(nowMs.peek()));
  });
  const isOnline = computed(() => link.state.value.kind === 'online');
  effect(() => {
    if (isOnline.value) return () => untracked(() => keep(Date.now()));
    return undefined;
  });
  const dial = (): void => {
    tabs.open();
    recall();
    link.dial();
  };
  const worker = openWorker(() => {
    if (link.robot.peek() === undefined) dial();
    else link.robot.peek()?.probe();
  });
  const tick = (): void => {
    nowMs.value = Date.now();
    after(TICK_MS, tick);
  };
  tick();
  const isWaiting = computed(() => waiting.entries.value.length > 0 && link.state.value.kind !== 'online');
  effect(() => {
    if (isWaiting.value) worker.wakeWhenBack();
  });
  // The robot stands; a hand that is still on the joystick has to let go before it moves again.
  effect(() => {
    if (control.firedAtMs.value !== undefined) drive.lost();
  });

  return {
    known,
    check: createCheck({ url, diagnose }),
    seenAtMs: computed(() =>
      link.state.value.kind === 'online' ? undefined : (happened.lostAtMs.value ?? known.value?.seenAtMs),
    ),
    plotted,
    worker,
    dial,
    link,
    robot,
    drive,
    control,
    happened,
    waiting,
    toasts,
    theme,
    view,
    isStatusOpen: signal(false),
    nowMs,
    after,
    async forget() {
      drive.leave();
      const id = link.status.peek()?.robotId || known.peek()?.id;
      await Promise.all(waiting.entries.peek().map((entry) => waiting.cancel(entry.id))).catch(() => undefined);
      link.close();
      history.replaceState(null, '', withoutRobot(location.hash, sessionStorage));
      if (id !== undefined) await memory.forget(id);
      dial();
    },
    leave() {
      // First what stops the robot.
      drive.leave();
      if (link.state.peek().kind === 'online') keep(Date.now());
      link.close();
      tabs.close();
    },
    halt() {
      tabs.tellStop();
      if (!drive.halt()) toasts.show('Not sent: there is no link to the robot’s motors.');
    },
    attempt(what, run) {
      const done = run();
      if (done === undefined) toasts.show(`${what}: the robot does not offer this at the moment.`);
      else
        done.catch((error: unknown) => {
          // Whoever took it back knows.
          if (!isQiwayError(error) || error.code !== 'canceled') toasts.show(`${what}: ${failureText(error)}`);
        });
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

/** Who stopped the robot, and has ended this page's control by that; undefined: that is not what it says. */
function stoppedBy(error: unknown): string | undefined {
  if (!isQiwayError(error) || error.code !== 'lease-lost') return undefined;
  const { reason, holder = 'somebody else' } = error.data as { readonly reason?: string; readonly holder?: string };
  return reason === 'stopped' ? holder : undefined;
}
