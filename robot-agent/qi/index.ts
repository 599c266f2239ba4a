// @qiway/robot-agent/qi: a robot's qi bus for Node programs. Join one, host services on it, or be its directory.
export type {
  Bus,
  BusListener,
  BusObject,
  BusState,
  CallRequest,
  HostedService,
  Payload,
  ReplySink,
  ServiceInfo,
  Subscription,
} from '@qiway/protocol/bus/bus';
export type { MetaObject } from '@qiway/protocol/bus/metaobject';
export { EmbeddedBus, type EmbeddedBusOptions } from '@qiway/protocol/directory/embedded-bus';
export { type ErrorCode, isQiwayError, QiwayError } from '@qiway/protocol/errors';
export {
  type CallContext,
  createObject,
  type HostedObject,
  type HostedOptions,
  type Members,
  method,
  property,
  signal,
} from '@qiway/protocol/objects/hosted-object';
export type {
  CallOptions,
  ConnectOptions,
  EventIterator,
  LooseMembers,
  Off,
  Property,
  RemoteMethod,
  RemoteObject,
  Signal,
} from '@qiway/protocol/objects/remote-types';
export { type ObjectMapper, plainObjects } from '@qiway/protocol/objects/values';
export { Dynamic } from '@qiway/protocol/wire/value';
export {
  type AuthenticationData,
  type AuthenticationProvider,
  type Authenticator,
  tokenAuthenticator,
  type Verdict,
} from './authentication.ts';
export { type Capabilities, OWN_CAPABILITIES } from './capabilities.ts';
export { fileAuthenticator, fileUsers } from './credentials.ts';
export { parseEndpoint, type QiAddress, type Scheme } from './endpoints.ts';
export type { InterfaceAddress, ListInterfaces } from './interfaces.ts';
export { type JoinBusOptions, joinBus } from './join-bus.ts';
export type { JoinedBus } from './joined-bus.ts';
export { type BusListenerHandle, type ListenBusOptions, listenBus } from './listen-bus.ts';
export { machineId } from './machine-id.ts';
export type { PeerSocket } from './peer-socket.ts';
export {
  type LooseServices,
  type RemoteServices,
  type RemoteServicesOptions,
  remoteServices,
} from './remote-services.ts';
export type { Pem, TlsClientOptions, TlsServerOptions } from './tls-options.ts';
