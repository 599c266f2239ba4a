// What a client remembers of a robot, in memory: over several sessions of a test, with a record of what was fetched.
import type { ServiceInfo } from '@qiway/protocol/bus/bus';
import type { KnownServices } from '@qiway/protocol/directory/known-services';
import type { ToldRule } from '@qiway/protocol/member-class';

export interface Remembered extends KnownServices {
  /** Names of services whose metaobject came over the link, in order. */
  readonly fetched: string[];
  readonly metaObjects: Map<string, Uint8Array>;
}

export function rememberedServices(): Remembered {
  const metaObjects = new Map<string, Uint8Array>();
  const fetched: string[] = [];
  let services: readonly ServiceInfo[] = [];
  let classes: readonly ToldRule[] = [];
  return {
    fetched,
    metaObjects,
    open: async () => {},
    get services() {
      return services;
    },
    listed: (told) => {
      services = told;
    },
    added: (service) => {
      services = [...services.filter(({ name }) => name !== service.name), service];
    },
    removed: (serviceId) => {
      services = services.filter((each) => each.serviceId !== serviceId);
    },
    metaObject: async (name) => metaObjects.get(name),
    learned: (name, bytes) => {
      fetched.push(name);
      metaObjects.set(name, bytes.slice());
    },
    get classes() {
      return classes;
    },
    classesTold: (told) => {
      classes = told;
    },
  };
}
