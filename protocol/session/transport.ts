// The Transport seam: whole binary messages, in order, until it closes. Layer 5; adapters (layer 6) implement it.
// No retry, no queue, no meaning: adapters are small and dull.

/** What a transport tells its link. All are called from the event loop, never from within `send` or `close`. */
export interface TransportListener {
  /** One whole message; the link may keep views of it. */
  message(bytes: Uint8Array): void;
  /** `send` answered false before, and there is room again. */
  drain(): void;
  /** Called once; nothing follows. `reason` is for people; `code`: who closed said it, where the platform tells. */
  close(reason: string, code?: number): void;
}

/** A close code of the link protocol, section 9, or of WebSocket (RFC 6455). */
export type CloseCode = 1000 | 4400 | 4401 | 4408 | 4409 | 4410 | 4413;

/** An open transport. */
export interface Transport {
  /** How it goes: shown to people, chosen among by sessions. */
  readonly route: 'direct' | 'webrtc' | 'relay';
  /** Bytes taken by `send` and not yet given to the network, as far as the platform tells. */
  readonly bufferedBytes: number;
  /**
   * Takes over `message`; with `rest` these are the parts of one message, and `rest` is only read. False: hold bulk
   * back until `drain`. Silent after a close.
   */
  send(message: Uint8Array, rest?: readonly Uint8Array[]): boolean;
  /** Idempotent; `close` of the listener follows. */
  close(code: CloseCode, reason: string): void;
  /** Must be called once, in the turn in which the transport was obtained: what arrives earlier is kept by no one. */
  listen(listener: TransportListener): void;
}
