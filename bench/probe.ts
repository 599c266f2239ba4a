// Preloaded into every measured process (`node --import`): answers the harness over IPC with CPU time and memory,
// so that programs are measured as they are. Imported by the peers also, for `ready`.

/** What a measured process tells of itself. */
export interface Usage {
  /** User and system time so far, all threads. */
  readonly cpuMs: number;
  /** After a full collection: JavaScript heap and the memory bound to it. */
  readonly heapKib: number;
  readonly rssKib: number;
  /** TCP sockets that are open. */
  readonly sockets: number;
}

/** Tells the harness where this process can be reached. */
export function ready(url: string): void {
  process.on('SIGTERM', () => process.exit(0));
  process.send?.({ ready: url });
}

function usage(): Usage {
  const cpu = process.resourceUsage();
  return { cpuMs: (cpu.userCPUTime + cpu.systemCPUTime) / 1000, heapKib: 0, rssKib: 0, sockets: 0 };
}

function memory(): Usage {
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed, external, rss } = process.memoryUsage();
  const sockets = process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
  return { ...usage(), heapKib: (heapUsed + external) / 1024, rssKib: rss / 1024, sockets };
}

process.on('message', (message) => {
  if (message === 'usage') process.send?.({ usage: usage() });
  else if (message === 'memory') process.send?.({ usage: memory() });
});
// The harness may go at any time; nothing measured outlives it, and the channel alone keeps nothing alive.
process.on('disconnect', () => process.exit(0));
process.channel?.unref();
