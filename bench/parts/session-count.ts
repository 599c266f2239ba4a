// How many sessions an agent has, as its metrics tell: to wait until it has so many.
const POLL_MS = 50;
const LONGEST_MS = 30_000;

/** @param url the agent's, with its token @throws Error when it takes too long */
export async function untilSessions(url: string, count: number): Promise<void> {
  const deadline = performance.now() + LONGEST_MS;
  for (;;) {
    const now = await sessions(url);
    if (now === count) return;
    if (performance.now() > deadline) throw new Error(`the agent has ${now} sessions, not ${count}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

async function sessions(url: string): Promise<number> {
  const { origin, hash } = new URL(url);
  const token = new URLSearchParams(hash.slice(1)).get('token');
  const response = await fetch(`${origin}/metrics`, { headers: { authorization: `Bearer ${token}` } });
  const count = /^qiway_sessions (\d+)$/m.exec(await response.text())?.[1];
  if (count === undefined) throw new Error(`the agent tells no count of its sessions (${response.status})`);
  return Number(count);
}
