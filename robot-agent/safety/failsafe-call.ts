// One call of a failsafe: looked up, chosen among overloads and encoded when it is registered, so that nothing can be
// wrong with it when it has to be made.
import type { BusObject, Payload } from '@qiway/protocol/bus/bus';
import { releasePayload } from '@qiway/protocol/bus/bus';
import { callObject } from '@qiway/protocol/bus/call';
import { FIRST_OWN_ACTION, type MetaMethod } from '@qiway/protocol/bus/metaobject';
import { chooseMethod } from '@qiway/protocol/bus/overload';
import type { EmbeddedBus } from '@qiway/protocol/directory/embedded-bus';
import { asQiwayError, QiwayError, sentenceOf } from '@qiway/protocol/errors';
import { memberNotFound } from '@qiway/protocol/objects/member-not-found';
import { encodePayload, plainObjects } from '@qiway/protocol/objects/values';
import type { TimeLimit } from '@qiway/protocol/within';

export type FailsafeBus = Pick<EmbeddedBus, 'service' | 'registry'>;

/** As a client gives it. */
export interface WantedCall {
  readonly service: string;
  /** A name, or a full name `name::(parameters)`. */
  readonly method: string;
  readonly args: readonly unknown[];
}

export class FailsafeCall {
  readonly service: string;
  /** Without its parameters. */
  readonly member: string;
  readonly #bus: FailsafeBus;
  readonly #method: MetaMethod;
  readonly #payload: Payload;
  #object: BusObject;
  #serviceId: number | undefined;

  private constructor(
    bus: FailsafeBus,
    ready: { readonly service: string; object: BusObject; method: MetaMethod; payload: Payload },
  ) {
    this.#bus = bus;
    this.service = ready.service;
    this.member = ready.method.name;
    this.#object = ready.object;
    this.#serviceId = idOf(bus, ready.service);
    this.#method = ready.method;
    this.#payload = ready.payload;
  }

  /** @throws `service-not-found`, `bus-down`; `invalid-argument` for a method that is not there and arguments that do not fit */
  static async prepare(bus: FailsafeBus, wanted: WantedCall): Promise<FailsafeCall> {
    const { service, method: name, args } = wanted;
    const object = await bus.service(service);
    try {
      const methods = [...object.metaObject.methods.values()].filter(({ uid }) => uid >= FIRST_OWN_ACTION);
      const bare = name.split('::')[0] ?? name;
      if (!methods.some((one) => one.name === bare))
        throw memberNotFound(
          bare,
          methods.map((one) => one.name),
        );
      const { method, signature, value } = chooseMethod(methods, name, args);
      const payload = encodePayload(signature, value, plainObjects);
      if (payload.objects.length > 0) {
        releasePayload(payload);
        throw new QiwayError(
          'invalid-argument',
          `${service}.${bare} is given an object, which is gone when the session is: a failsafe takes plain values only.`,
          { data: { expected: 'plain values', path: bare } },
        );
      }
      return new FailsafeCall(bus, { service, object, method, payload });
    } catch (error) {
      object.release();
      throw inWordsOfCall(`${service}.${name}`, asQiwayError(error));
    }
  }

  get bytes(): number {
    return this.#payload.bytes.length;
  }

  /** Goes out at once, unless the service had to be looked up again. @throws what the robot answers; `timeout`; `service-gone` */
  async make(limit: TimeLimit): Promise<void> {
    if (this.#object.goneWith !== undefined || idOf(this.#bus, this.service) !== this.#serviceId)
      await this.#findAgain();
    const { objects } = await callObject(this.#object, { action: this.#method.uid, payload: this.#payload }, limit);
    for (const object of objects) object.release();
  }

  release(): void {
    this.#object.release();
  }

  /** It left the bus since and came back: the same method must be there, under the same id. */
  async #findAgain(): Promise<void> {
    const found = await this.#bus.service(this.service);
    const { uid, name, parametersSignature } = this.#method;
    const now = found.metaObject.methods.get(uid);
    if (now?.name !== name || now.parametersSignature !== parametersSignature) {
      found.release();
      throw new QiwayError('service-gone', `${this.service} came back with other members.`, {
        data: { service: this.service },
      });
    }
    this.#object.release();
    this.#object = found;
    this.#serviceId = idOf(this.#bus, this.service);
  }
}

function idOf({ registry }: FailsafeBus, service: string): number | undefined {
  return registry.byName(service)?.info.serviceId;
}

/** It is an argument that is wrong, not the member that was called. */
function inWordsOfCall(path: string, error: QiwayError): QiwayError {
  return new QiwayError('invalid-argument', `The call ${path} cannot be made: ${sentenceOf(error)}`, {
    data: { expected: 'a call that fits', path },
    cause: error,
  });
}
