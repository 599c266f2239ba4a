// Holds on to services as they come and go: attaches when one is there, lets go when it leaves. Layer: robot.
import type { Signal } from '@preact/signals';
import { isQiwayError, type RemoteObject, type Robot } from '@qiway/sdk';
import type { Services } from './robot-services.ts';

/** What was opened for one service's stay; ends with it. */
export interface Scope {
  readonly isOpen: boolean;
  /** Runs `end` when the service leaves, or at once if it has. */
  add(end: () => unknown): void;
}

export type Attachments = {
  readonly [N in keyof Services]?: (object: RemoteObject<Services[N]>, scope: Scope) => void | Promise<void>;
};

export interface FollowOptions {
  readonly robot: Robot<Services>;
  readonly attachments: Attachments;
  /** The names on the bus, sorted, each time they change. */
  readonly onServices: (names: readonly string[]) => void;
  readonly onProblem: (service: string, error: unknown) => void;
  /** Calls back after a while; returns how to prevent it. */
  readonly after: (delayMs: number, run: () => void) => () => void;
}

interface OpenScope extends Scope {
  end(): void;
}

/** Failures do not matter: what is being ended is gone already. */
function run(end: () => unknown): void {
  Promise.resolve()
    .then(end)
    .catch(() => undefined);
}

function openScope(): OpenScope {
  let isOpen = true;
  const ends: (() => unknown)[] = [];
  return {
    get isOpen() {
      return isOpen;
    },
    add(end) {
      if (isOpen) ends.push(end);
      else run(end);
    },
    end() {
      isOpen = false;
      for (const end of ends.splice(0)) run(end);
    },
  };
}

/** A failure that only says that the service, or the link, is gone: nothing to tell a person. */
function isFarewell(error: unknown): boolean {
  return isQiwayError(error) && ['service-gone', 'object-gone', 'closed', 'service-not-found'].includes(error.code);
}

/** A failure of the way to the service, which is mended by itself. */
function isPassing(error: unknown): boolean {
  return isQiwayError(error) && ['bus-down', 'offline', 'link-lost'].includes(error.code);
}

/** Between attempts to attach to a service that the way to is not back yet, ms. */
const AGAIN_MS = 500;

/**
 * Follows the services until the returned function is called. While the robot's bus is down they keep their names, and are
 * let go of all the same: what they handed out is gone, and what they last said may not be so any more. The same with a new
 * session in place of the old. A link that breaks and is made anew changes nothing.
 */
export function followServices({ robot, attachments, onServices, onProblem, after }: FollowOptions): () => void {
  const names = new Set<string>();
  const scopes = new Map<string, OpenScope>();
  let isFollowing = true;
  let isBusUp = robot.status.bus === 'up';
  let lost = robot.status.lost;

  async function attach<N extends keyof Services>(name: N, scope: OpenScope): Promise<void> {
    try {
      const object = await robot.service(name);
      if (scope.isOpen) await attachments[name]?.(object, scope);
    } catch (error) {
      if (!scope.isOpen || isFarewell(error)) return;
      if (isPassing(error)) scope.add(after(AGAIN_MS, () => add(name)));
      else onProblem(name, error);
    }
  }
  function add(name: string): void {
    if (!isFollowing) return;
    names.add(name);
    if (!(name in attachments) || !isBusUp) return;
    scopes.get(name)?.end();
    const scope = openScope();
    scopes.set(name, scope);
    void attach(name as keyof Services, scope);
  }
  function remove(name: string): void {
    names.delete(name);
    letGo(name);
  }
  function letGo(name: string): void {
    scopes.get(name)?.end();
    scopes.delete(name);
  }
  const tell = (): void => {
    if (isFollowing) onServices(isBusUp ? [...names].sort((a, b) => a.localeCompare(b)) : []);
  };

  const off = robot.onServiceChange((change) => {
    if (change.kind === 'added') add(change.name);
    else remove(change.name);
    tell();
  });
  const offStatus = robot.onStatusChange((status) => {
    const isRenewed = status.state === 'online' && status.lost !== lost;
    if (isBusUp === (status.bus === 'up') && !isRenewed) return;
    isBusUp = status.bus === 'up';
    if (isRenewed) lost = status.lost;
    for (const name of [...names]) {
      if (isBusUp) add(name);
      else letGo(name);
    }
    tell();
  });
  let stopAsking = (): void => undefined;
  const ask = (): void => {
    robot.services().then(
      (infos) => {
        for (const { name } of infos) if (!names.has(name)) add(name);
        tell();
      },
      (error: unknown) => {
        if (!isFollowing || isFarewell(error)) return;
        if (isPassing(error)) stopAsking = after(AGAIN_MS, ask);
        else onProblem('ServiceDirectory', error);
      },
    );
  };
  ask();
  return () => {
    isFollowing = false;
    stopAsking();
    off();
    offStatus();
    for (const name of [...scopes.keys()]) remove(name);
  };
}

/** Whether an object has a member; unlike `in` it leaves the declared type alone, which is that of a complete robot. */
export function offers(object: object, member: string): boolean {
  return member in object;
}

/** Holds a service's object in a signal for its stay. */
export function hold<T>(place: Signal<T | undefined>, object: T, scope: Scope): void {
  place.value = object;
  scope.add(() => {
    if (place.peek() === object) place.value = undefined;
  });
}
