// Joins the robot's bus and the agent's own: every service of one appears on the other. Robot-agent; knows buses only.
// Inner services are fetched when somebody first asks for them, and stay while the robot's bus is down; outer ones are
// hosted inside as ordinary services.
import type { Bus, BusListener } from '@qiway/protocol/bus/bus';
import type { Clock } from '@qiway/protocol/clock';
import type { EmbeddedBus } from '@qiway/protocol/directory/embedded-bus';
import { DIRECTORY_NAME } from '@qiway/protocol/directory/registry';
import { MAX_NAME } from '@qiway/protocol/directory/service-info';
import { asQiwayError, QiwayError } from '@qiway/protocol/errors';
import type { Logger } from '../logger.ts';
import { type Announced, MirroredServices } from './mirrored-services.ts';
import { OfferedServices } from './offered-services.ts';

export interface MirrorOptions {
  /** The agent's own bus: what sessions see. */
  readonly outer: EmbeddedBus;
  /** The robot's bus; goes `down` and comes back `up` by itself. */
  readonly inner: Bus;
  readonly logger: Logger;
  readonly clock: Clock;
}

export interface Mirror {
  /** `up`: the robot's services are on the outer bus, and those that were away can be called again. */
  readonly state: 'up' | 'down';
  /** Tells changes of the state; returns how to stop. */
  listen(listener: Pick<BusListener, 'stateChanged'>): () => void;
  /** Takes the inner services off the outer bus and the outer ones off the inner. */
  close(): Promise<void>;
}

/** For services whose host is slow to be reached when the bus comes back, ms: the others are not to wait for them. */
const RETURN_PATIENCE_MS = 2000;
/** Before a directory that did not list its services is asked again, ms. */
const LIST_AGAIN_MS = 1000;

export function mirrorBus(options: MirrorOptions): Mirror {
  const { outer, inner, logger, clock } = options;
  const listeners = new Set<Pick<BusListener, 'stateChanged'>>();
  /** Services of the robot whose names are taken outside; those of our own among them. */
  const skipped = new Map<string, Announced>();
  const services = new MirroredServices({ outer, inner, clock, logger });
  const offers = new OfferedServices({
    outer,
    inner,
    clock,
    logger,
    onLeft: (name, serviceId) => {
      const other = skipped.get(name);
      if (other !== undefined && other.serviceId !== serviceId) show(other);
      else skipped.delete(name);
    },
  });
  let state: 'up' | 'down' | 'closed' = 'down';
  /** Of the bus going up and down: what belongs to an earlier one is dropped. */
  let round = 0;
  /** Services that leave while the list of them is on its way, which may be older; undefined: none is. */
  let leftMeanwhile: Set<number> | undefined;
  let stopTimer = (): void => {};

  const show = (info: Announced): void => {
    if (state === 'closed' || !isShown(info)) return;
    if (!offers.holds(info.name) && services.add(info)) skipped.delete(info.name);
    // What is not shown for another reason is not kept: there may be any number of them.
    else if (isTaken(info.name)) skipped.set(info.name, info);
  };

  /** Neither the directory itself, nor what it should not have let in: everybody would have to carry such a name. */
  const isShown = ({ name }: Announced): boolean => {
    if (name.length > MAX_NAME) logger.warn('a service of the robot is not shown: its name is too long');
    return name !== DIRECTORY_NAME && name !== '' && name.length <= MAX_NAME;
  };

  const isOuter = (name: string): boolean => {
    const owner = outer.registry.byName(name)?.owner;
    return name !== DIRECTORY_NAME && owner !== services.owner;
  };

  const tell = (now: 'up' | 'down', reason?: QiwayError): void => {
    if (state === now || state === 'closed') return;
    state = now;
    for (const listener of [...listeners]) listener.stateChanged?.(now, reason);
  };

  const comeBack = async (): Promise<void> => {
    round += 1;
    const own = round;
    const left = new Set<number>();
    leftMeanwhile = left;
    try {
      const infos = await inner.services();
      if (own !== round) return;
      leftMeanwhile = undefined;
      const present = infos.filter((info) => isShown(info) && !left.has(info.serviceId));
      for (const info of present) if (isTaken(info.name)) skipped.set(info.name, info);
      const returned = services.busBack(present.filter(({ name }) => !skipped.has(name)));
      for (const { name } of outer.registry.list()) if (isOuter(name)) offers.offer(name);
      await new Promise<void>((resolve) => {
        stopTimer = clock.after(RETURN_PATIENCE_MS, resolve);
        void returned.then(resolve);
      });
      stopTimer();
      if (own === round) tell('up');
    } catch (error) {
      if (own !== round || inner.state !== 'up') return;
      logger.warn(`the robot's services cannot be listed: ${asQiwayError(error).message}`);
      stopTimer = clock.after(LIST_AGAIN_MS, () => void comeBack());
    }
  };

  const isTaken = (name: string): boolean =>
    offers.holds(name) || (outer.registry.byName(name) !== undefined && isOuter(name));

  const goAway = (reason: QiwayError | undefined): void => {
    round += 1;
    stopTimer();
    skipped.clear();
    services.busLost(reason ?? new QiwayError('bus-down', 'The service directory went away.'));
    offers.busLost();
    tell('down', reason);
  };

  const stopInner = inner.listen({
    serviceAdded: show,
    serviceRemoved: (info) => {
      leftMeanwhile?.add(info.serviceId);
      if (skipped.get(info.name)?.serviceId === info.serviceId) skipped.delete(info.name);
      services.remove(info);
      offers.nameFreed(info.name);
    },
    stateChanged: (changed, reason) => {
      if (changed === 'up') void comeBack();
      else goAway(reason);
    },
  });
  const stopOuter = outer.listen({
    serviceAdded: ({ name }) => {
      if (isOuter(name)) offers.offer(name);
    },
    serviceRemoved: ({ name }) => {
      if (offers.holds(name)) return offers.withdraw(name);
      const other = skipped.get(name);
      if (other !== undefined) show(other);
    },
  });
  outer.explainMissing((name) =>
    state === 'up'
      ? undefined
      : new QiwayError('bus-down', `The robot's bus is down, so nobody knows whether it has ${name}; try again later.`),
  );
  if (inner.state === 'up') void comeBack();

  const close = async (): Promise<void> => {
    if (state === 'closed') return;
    state = 'closed';
    round += 1;
    stopTimer();
    stopInner();
    stopOuter();
    outer.explainMissing(() => undefined);
    listeners.clear();
    services.close();
    await offers.close();
  };
  return {
    get state() {
      return state === 'up' ? 'up' : 'down';
    },
    listen: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close,
  };
}
