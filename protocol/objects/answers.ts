// How a hosted object answers: payloads in, calls on functions, payloads out. Layer 3; error texts are those of libqi.
import { type CallHandle, type CallRequest, type Payload, type ReplySink, releasePayload } from '../bus/bus.ts';
import { conversionScore } from '../bus/conversion-score.ts';
import { StandardAction } from '../bus/metaobject.ts';
import { IDLE_HANDLE } from '../bus/peer-object.ts';
import { STANDARD_METHODS } from '../bus/standard-members.ts';
import type { Dynamic } from '../wire/value.ts';
import { ActiveCall, failureOf } from './active-call.ts';
import { fitArguments } from './arguments.ts';
import { callFailed } from './call-failed.ts';
import { convertPayload } from './convert-payload.ts';
import type { Answers, HostedState } from './hosted.ts';
import { type MethodMember, method } from './members.ts';
import { getProperty, setProperty } from './property-actions.ts';
import { observed, Statistics } from './statistics.ts';
import { tracedArguments } from './traced-values.ts';
import { asDynamic, decodeArguments, encodePayload } from './values.ts';

const NO_SINK: ReplySink = { reply: releasePayload, error: () => {}, canceled: () => {} };

/** The answers of one object. */
export function answers(state: HostedState): Answers {
  return new Answering(state);
}

class Answering implements Answers {
  readonly #state: HostedState;
  readonly #statistics = new Statistics();

  constructor(state: HostedState) {
    this.#state = state;
  }

  call(request: CallRequest, sink: ReplySink): CallHandle {
    const { action, payload, returnSignature } = request;
    const own = this.#state.layout.methods.get(action);
    const member = own ?? this.#standard(action);
    const { parameters, returns } = member;
    const isHopeless = returnSignature !== undefined && conversionScore(returns, returnSignature) === 0;
    const isTraced = this.#state.isTracing && isObservable(action, own !== undefined);
    let args: unknown[];
    let told: Dynamic | undefined;
    try {
      if (isHopeless)
        throw callFailed(`Call error: will not be able to convert return type from ${returns} to ${returnSignature}`);
      const fitted = fitArguments(payload, parameters);
      if (isTraced) told = tracedArguments(fitted);
      args = member.isRaw === true ? [fitted] : decodeArguments(fitted, parameters, this.#state.mapper);
    } catch (error) {
      if (isHopeless) releasePayload(payload);
      sink.error(failureOf(error));
      return IDLE_HANDLE;
    }
    const isObserved = isTraced || (this.#statistics.isEnabled && isObservable(action, own !== undefined));
    const call = new ActiveCall(isObserved ? this.#observe(action, told, sink) : sink, (value) => {
      const given =
        member.isRaw === true && value !== undefined
          ? (value as Payload)
          : encodePayload(returns, returns === 'v' ? undefined : value, this.#state.mapper);
      return returnSignature === undefined ? given : convertResult(given, returnSignature);
    });
    call.run(member, args, request.caller);
    return call;
  }

  post(action: number, payload: Payload): void {
    const { metaObject } = this.#state.layout;
    if (metaObject.methods.has(action)) {
      this.call({ action, payload }, NO_SINK);
      return;
    }
    const declared = metaObject.signals.get(action)?.signature;
    // A posted property would be told to the subscribers without having been stored.
    if (declared === undefined || metaObject.properties.has(action)) return releasePayload(payload);
    try {
      this.#state.subscribers.send(action, fitArguments(payload, declared));
    } catch {
      // Posts fail silently, as on the bus.
    }
  }

  /** The methods of every object, as members: those that move payloads are raw, they get and give them as they are. */
  #standard(action: number): MethodMember {
    const statistics = this.#statistics;
    const { parametersSignature: parameters, returnSignature: returns } = STANDARD_METHODS.find(
      ({ uid }) => uid === action,
    ) ?? { parametersSignature: 'm', returnSignature: 'v' };
    const plain = (run: (...args: never[]) => unknown): MethodMember => ({
      ...method(parameters, returns, run),
      isPlain: true,
    });
    const raw = (run: (payload: Payload) => unknown): MethodMember => ({ ...plain(run), isRaw: true });
    switch (action) {
      case StandardAction.metaObject:
        return plain(() => this.#state.layout.metaObject);
      case StandardAction.property:
        return raw((payload) => getProperty(this.#state, payload));
      case StandardAction.setProperty:
        return raw((payload) => setProperty(this.#state, payload));
      case StandardAction.properties:
        return plain(() => [...this.#state.layout.metaObject.properties.values()].map(({ name }) => name));
      case StandardAction.isStatsEnabled:
        return plain(() => statistics.isEnabled);
      case StandardAction.enableStats:
        return plain((isOn: boolean) => {
          statistics.isEnabled = isOn;
        });
      case StandardAction.stats:
        return plain(() => statistics.snapshot());
      case StandardAction.clearStats:
        return plain(() => statistics.clear());
      case StandardAction.isTraceEnabled:
        return plain(() => this.#state.isTracing);
      case StandardAction.enableTrace:
        return plain((isOn: boolean) => {
          this.#state.isTracing = isOn;
        });
      default:
        return plain(() => {
          throw callFailed(`No such method {${action}}`);
        });
    }
  }

  #observe(action: number, args: Dynamic | undefined, sink: ReplySink): ReplySink {
    const { trace, now } = this.#state;
    return observed({ action, args, sink }, { statistics: this.#statistics, trace, now });
  }
}

/** Own methods, and those for statistics and tracing themselves; not the ones that move properties and registrations. */
function isObservable(action: number, isOwn: boolean): boolean {
  return isOwn || action >= StandardAction.isStatsEnabled;
}

/** The result in the signature the caller asked for; as it is when the value does not allow it. */
function convertResult(given: Payload, signature: string): Payload {
  for (const object of given.objects) object.retain();
  try {
    const converted = asDynamic(convertPayload(given, signature));
    releasePayload(given);
    return converted;
  } catch {
    return given;
  }
}
