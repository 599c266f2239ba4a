// The flow of events to whatever attachment a tab has now. Knows no robot.
import type { Flow } from '@qiway/protocol/bus/event-flow';
import type { PlainWire } from '@qiway/protocol/session/plain-wire';

/** @param wire of now; what waits without one ends with the registrations of the old */
export function wireFlow(wire: () => PlainWire | undefined): Flow {
  return {
    get isAttached() {
      return wire() !== undefined;
    },
    get queuedBytes() {
      return wire()?.queuedBytes ?? 0;
    },
    whenBelow: (bytes, run) => wire()?.whenBelow(bytes, run) ?? (() => {}),
  };
}
