// @qiway/sdk/react: robots, services, signals and properties as hooks (docs/frameworks.md).
export type { PropertySnapshot } from '../stores/property-store.ts';
export type { RobotSnapshot, RobotStoreOptions } from '../stores/robot-store.ts';
export type { ServiceSnapshot } from '../stores/service-store.ts';
export type { SignalSnapshot } from '../stores/signal-store.ts';
export {
  type HandledSignal,
  type UsedProperty,
  type UseLatest,
  useProperty,
  useService,
  useSignal,
} from './use-members.ts';
export { RobotProvider, type RobotProviderProps, type UsedRobot, useRobot } from './use-robot.ts';
