// Channels between pages and their owner in memory: messages come in later microtasks, buffers are moved, and a page can crash. A
// fixture.

class FakePort extends EventTarget {
  other!: FakePort;
  /** What came before it was started. */
  readonly #early: unknown[] = [];
  #state: 'unstarted' | 'started' | 'closed' = 'unstarted';
  readonly #tellsClose: boolean;

  constructor(tellsClose: boolean) {
    super();
    this.#tellsClose = tellsClose;
  }

  postMessage(message: unknown, transfer: ArrayBuffer[]): void {
    if (this.#state === 'closed') return;
    const moved: unknown = structuredClone(message, { transfer });
    queueMicrotask(() => this.other.#receive(moved));
  }

  start(): void {
    if (this.#state !== 'unstarted') return;
    this.#state = 'started';
    queueMicrotask(() => {
      for (const message of this.#early.splice(0)) this.#receive(message);
    });
  }

  close(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    // Behind what was posted before.
    if (this.#tellsClose) queueMicrotask(() => queueMicrotask(() => this.other.dispatchEvent(new Event('close'))));
  }

  #receive(message: unknown): void {
    if (this.#state === 'unstarted') this.#early.push(message);
    else if (this.#state === 'started') this.dispatchEvent(new MessageEvent('message', { data: message }));
  }
}

/** Of one page. */
export class FakeChannels {
  readonly #ports: FakePort[] = [];
  readonly #tellsClose: boolean;

  /** @param tellsClose does the platform tell a port that the other one is gone? */
  constructor(tellsClose: boolean) {
    this.#tellsClose = tellsClose;
  }

  readonly open = (): MessageChannel => {
    const [port1, port2] = [new FakePort(this.#tellsClose), new FakePort(this.#tellsClose)];
    port1.other = port2;
    port2.other = port1;
    this.#ports.push(port1);
    return { port1, port2 } as unknown as MessageChannel;
  };

  /** The page is no more; what it has not taken by now is lost. */
  crash(): void {
    for (const port of this.#ports) port.close();
  }
}
