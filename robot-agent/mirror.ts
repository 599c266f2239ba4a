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
  const exported = new Map<string, Promise<HostedService | undefined>>();
  let isClosed = false;

  const importService = (info: Pick<ServiceInfo, 'name'> & Partial<ServiceInfo>): void => {
    const { name, objectUid } = info;
    if (isClosed || name === DIRECTORY_NAME || exported.has(name)) return;
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
    const entry = outer.registry.byName(name);
    if (entry?.owner === innerServices) outer.registry.unregister(entry.info.serviceId);
  };

  const exportService = async (name: string): Promise<HostedService | undefined> => {
    // Offered once it is up: see exportAll.
    if (isClosed || inner.state !== 'up') return undefined;
    try {
      const object = await outer.service(name);
      return await inner.host(name, object);
    } catch (error) {
      logger.warn(`service ${name} cannot be offered to the robot: ${asQiwayError(error).message}`);
      return undefined;
    }
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
      if (outer.registry.byName(name)?.owner !== innerServices && !exported.has(name))
        exported.set(name, exportService(name));
    },
    serviceRemoved: ({ name }) => {
      const hosted = exported.get(name);
      exported.delete(name);
      void hosted?.then((service) => service?.close());
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
