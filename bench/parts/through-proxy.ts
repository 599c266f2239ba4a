// Leads every WebSocket of this process through a proxy, whatever address the agent tells.

/** @param port of the proxy */
export function dialThrough(port: string): void {
  globalThis.WebSocket = class extends WebSocket {
    constructor(target: string | URL, protocols?: string | string[]) {
      const through = new URL(target);
      through.port = port;
      super(through, protocols);
    }
  };
}
