// Joins the robot's bus and the agent's own: every service of one appears on the other. Robot-agent; knows buses only.
// Inner services are fetched when somebody first asks for them; outer ones are hosted inside as ordinary services.
import type { Bus, HostedService, ServiceInfo } from '@qiway/protocol/bus/bus';
import type { EmbeddedBus } from '@qiway/protocol/directory/embedded-bus';
import { DIRECTORY_NAME } from '@qiway/protocol/directory/registry';
import { asQiwayError } from '@qiway/protocol/errors';
import type { Logger } from './logger.ts';

export interface MirrorOptions {
  /** The agent's own bus: what sessions see. */
  readonly outer: EmbeddedBus;
  /** The robot's bus; goes `down` and comes back `up` by itself. */
  readonly inner: Bus;
  readonly logger: Logger;
}

export interface Mirror {
  /** Takes the inner services off the outer bus and the outer ones off the inner. */
  close(): Promise<void>;
}

export function mirrorBus(options: MirrorOptions): Mirror {
  const { outer, inner, logger } = options;
  /** Owner of all inner services in the outer registry. */
  const innerServices = {};
  /** By name, until it is off the robot's bus again. */
  const exported = new Map<string, Promise<HostedService | undefined>>();
  /** Settles when an exported service that left the outer bus is off the robot's too. */
  const leaving = new Map<string, Promise<void>>();
  /** What the robot said of names that are exported: our own services, and one that took the name as ours left. */
  const skipped = new Map<string, Pick<ServiceInfo, 'name' | 'serviceId'>>();
  let isClosed = false;

  const importService = (info: Pick<ServiceInfo, 'name' | 'serviceId'> & Partial<ServiceInfo>): void => {
    const { name, objectUid } = info;
    if (isClosed || name === DIRECTORY_NAME) return;
    if (exported.has(name)) {
      skipped.set(name, info);
      return;
    }
    try {
      const serviceId = outer.registerSource(name, () => inner.service(name), {
        owner: innerServices,
        info: objectUid === undefined ? {} : { objectUid },
      });
      outer.registry.ready(serviceId);
    } catch (error) {
      logger.warn(`service ${name} of the robot is not shown: ${asQiwayError(error).message}`);
    }
  };

  const importAll = async (): Promise<void> => {
    try {
      const infos = await inner.services();
      for (const info of infos) if (outer.registry.byName(info.name) === undefined) importService(info);
    } catch (error) {
      logger.warn(`the robot's services cannot be listed: ${asQiwayError(error).message}`);
    }
  };

  const removeImported = (name: string): void => {
    skipped.delete(name);
    const entry = outer.registry.byName(name);
    if (entry?.owner === innerServices) outer.registry.unregister(entry.info.serviceId);
  };

  const exportService = async (name: string): Promise<HostedService | undefined> => {
    // Offered once it is up: see exportAll.
    if (isClosed || inner.state !== 'up') return undefined;
    try {
      const outerId = outer.registry.byName(name)?.info.serviceId;
      const hosted = await inner.host(name, await outer.service(name));
      // A program of the robot may take any service off its bus: then its host outside is told, as one inside would be.
      void hosted.closed.then((reason) => {
        if (reason !== undefined && outerId !== undefined && outer.registry.byId(outerId) !== undefined)
          outer.registry.unregister(outerId);
      });
      return hosted;
    } catch (error) {
      logger.warn(`service ${name} cannot be offered to the robot: ${asQiwayError(error).message}`);
      return undefined;
    }
  };

  /** The name stays exported until the robot has said all it has to say of our service: it must not come back as the robot's. */
  const stopExporting = async (name: string, hosting: Promise<HostedService | undefined>): Promise<void> => {
    const hosted = await hosting;
    await hosted?.close();
    if (exported.get(name) !== hosting) return;
    exported.delete(name);
    leaving.delete(name);
    const other = skipped.get(name);
    skipped.delete(name);
    if (other !== undefined && other.serviceId !== hosted?.serviceId) importService(other);
  };

  /** What came onto the outer bus while the robot's was down, or could not be offered then. */
  const exportAll = (): void => {
    for (const { name } of outer.registry.list()) {
      if (name === DIRECTORY_NAME || outer.registry.byName(name)?.owner === innerServices) continue;
      const before = exported.get(name) ?? Promise.resolve(undefined);
      exported.set(
        name,
        before.then((hosted) => hosted ?? exportService(name)),
      );
    }
  };

  const stopInner = inner.listen({
    serviceAdded: importService,
    serviceRemoved: ({ name }) => removeImported(name),
    stateChanged: (state) => {
      if (state === 'up') void importAll().then(exportAll);
      else outer.registry.unregisterAllOf(innerServices);
    },
  });
  const stopOuter = outer.listen({
    serviceAdded: ({ name }) => {
      if (outer.registry.byName(name)?.owner === innerServices) return;
      const left = leaving.get(name);
      exported.set(name, left === undefined ? exportService(name) : left.then(() => exportService(name)));
    },
    serviceRemoved: ({ name }) => {
      const hosting = exported.get(name);
      if (hosting !== undefined) leaving.set(name, stopExporting(name, hosting));
    },
  });
  if (inner.state === 'up') void importAll().then(exportAll);

  const close = async (): Promise<void> => {
    if (isClosed) return;
    isClosed = true;
    stopInner();
    stopOuter();
    outer.registry.unregisterAllOf(innerServices);
    const services = await Promise.all(exported.values());
    exported.clear();
    await Promise.all(services.map((service) => service?.close()));
  };
  return { close };
}
