// The session object's member for the flow of events: how a client wants those of a signal that come faster than it takes
// them.
import { demandOf } from '@qiway/protocol/bus/demand';
import type { EventFlows } from '@qiway/protocol/bus/event-flow';
import { SET_FLOW, SET_FLOW_SIGNATURE } from '@qiway/protocol/bus/set-flow';
import { type Members, method } from '@qiway/protocol/objects/hosted-object';

/** A session as far as its events go. */
export interface FlowSession {
  readonly flows: EventFlows;
}

/**
 * `setFlow` (service, object, signal, policy, maxHz). Posted before the registration it is meant for, or at any time later;
 * it ends with the last registration of that signal.
 */
export function flowMembers(session: FlowSession): Members {
  const run = (service: number, object: number, signal: number, policy: string, maxHz: number): void =>
    session.flows.set({ service, object, signal }, demandOf(policy, maxHz));
  const description = 'Says how the events of a signal are wanted: every or latest, and at most so many a second.';
  const parameters = ['service', 'object', 'signal', 'policy', 'maxHz'];
  return { setFlow: { ...method(SET_FLOW_SIGNATURE, 'v', run, { description, parameters }), uid: SET_FLOW } };
}
