// A call that this side made and that is not answered yet. Layer 2.
import type { CallHandle, ReplySink } from './bus.ts';
import type { TableCall } from './call-table.ts';
import type { PeerObject } from './peer-object.ts';

interface CallDetails {
  readonly id: number;
  readonly sink: ReplySink;
  readonly target: PeerObject;
  readonly action: number;
  readonly returnSignature: string;
}

interface PendingCallOwner {
  cancel(call: PendingCall): void;
}

/** Lives in the peer's table until its one outcome. */
export class PendingCall implements CallHandle, TableCall {
  readonly #owner: PendingCallOwner;
  readonly id: number;
  readonly sink: ReplySink;
  readonly target: PeerObject;
  readonly action: number;
  readonly returnSignature: string;
  before: TableCall['before'];
  after: TableCall['after'];

  /** Of the target. */
  get service(): number {
    return this.target.service;
  }

  constructor(owner: PendingCallOwner, details: CallDetails) {
    this.#owner = owner;
    this.id = details.id;
    this.sink = details.sink;
    this.target = details.target;
    this.action = details.action;
    this.returnSignature = details.returnSignature;
    this.before = undefined;
    this.after = undefined;
  }

  cancel(): void {
    this.#owner.cancel(this);
  }
}
