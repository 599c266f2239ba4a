/// <reference lib="esnext.disposable" preserve="true" />
// @qiway/sdk: what a page or a program needs to use a robot. Everything public is here.
export type { ServiceInfo } from '@qiway/protocol/bus/bus';
export type { MetaMethod, MetaObject, MetaProperty, MetaSignal } from '@qiway/protocol/bus/metaobject';
export { type ErrorCode, type ErrorData, type ErrorRecord, isQiwayError, QiwayError } from '@qiway/protocol/errors';
export type { HostedObject } from '@qiway/protocol/objects/hosted';
export {
  type CallContext,
  type Members,
  type MethodMember,
  method,
  type PropertyMember,
  property,
  type SignalMember,
  signal,
} from '@qiway/protocol/objects/members';
export { metaObjectOf } from '@qiway/protocol/objects/remote-object';
export type {
  AbortSignalLike,
  CallOptions,
  ConnectOptions,
  EventIterator,
  LooseMembers,
  ObjectArgument,
  Off,
  OfflinePolicy,
  Property,
  Releasable,
  RemoteMethod,
  RemoteObject,
  Signal,
} from '@qiway/protocol/objects/remote-types';
export { Dynamic } from '@qiway/protocol/wire/value';
export { abilityWords } from './ability-words.ts';
export { connect, type RobotConnectOptions } from './connect.ts';
export { createObject } from './create-object.ts';
export type { DiagnoseOptions, Diagnosis } from './diagnose/diagnose.ts';
export { diagnose } from './diagnose/lazy.ts';
export type { StepReport, StepState } from './diagnose/steps.ts';
export { type LatestOptions, latest, type QueueOptions, queue } from './offline/policy.ts';
export type { QueueChange, QueueEntry } from './offline/queue-types.ts';
export type { RobotQueue } from './offline/robot-queue.ts';
export type { MissingAbility, PageAbility } from './page-abilities.ts';
export type { AbilityWords } from './page-advice.ts';
export type { Hosted, LooseServices, Robot, ServiceChange } from './robot.ts';
export type { Failsafe, FailsafeCall, FailsafeOptions, FailsafeStatus } from './safety/failsafe.ts';
export type { Lease, LeaseOptions } from './safety/lease.ts';
export type { LeaseInfo } from './safety/session-object.ts';
export type { Loss, Status } from './status.ts';
export { VERSION } from './version.ts';
