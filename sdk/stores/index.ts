// @qiway/sdk/stores: robots, services, signals and properties as stores, for any framework (docs/frameworks.md).
export {
  type PropertySnapshot,
  type PropertyStore,
  type PropertyStoreOptions,
  propertyStore,
} from './property-store.ts';
export { type RobotSnapshot, type RobotStore, type RobotStoreOptions, robotStore } from './robot-store.ts';
export { type ServiceSnapshot, serviceStore } from './service-store.ts';
export { type SignalSnapshot, type SignalStoreOptions, signalStore } from './signal-store.ts';
export type { Store } from './store.ts';
