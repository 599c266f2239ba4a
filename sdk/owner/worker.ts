// The SharedWorker: owns session, link, address book and offline queue for all tabs of an origin. The entry of a file of its
// own (`@qiway/sdk/worker`).
import { toHex } from '@qiway/protocol/hex';
import { systemClock } from '@qiway/protocol/transport/system-clock';
import { expose } from 'comlink';
import { onceLoaded } from '../once-loaded.ts';
import { guardCommands, OWNER_COMMANDS } from './control-guard.ts';
import { Owner } from './owner.ts';

/** What is used of `SharedWorkerGlobalScope`. */
interface WorkerScope {
  onconnect: ((event: { readonly ports: readonly MessagePort[] }) => void) | null;
}

// Not at http://robot-ip, whatever the types say.
const { locks } = navigator as { readonly locks?: LockManager };
const loadPart = onceLoaded('owns a link', () => import('./open-robot.ts'));
loadPart().catch(() => {}); // who opens a robot is told

const owner = new Owner({
  clock: systemClock,
  open: async (request) => (await loadPart()).openRobot({ ...request, clock: systemClock }),
  lock: holdLock(),
  ...(locks !== undefined && {
    whenFree: (lock: string, run: () => void) => void locks.request(lock, run).catch(run),
  }),
});

(globalThis as unknown as WorkerScope).onconnect = ({ ports }) => {
  const [port] = ports;
  if (port === undefined) return;
  const tab = owner.tab();
  // Where the platform has it, and there are no locks: the page is gone, by a crash too.
  port.addEventListener('close', () => tab.leave());
  guardCommands(port, OWNER_COMMANDS);
  expose(tab, port);
};

/** Holds it for ever: when it is free, this worker is gone. */
async function holdLock(): Promise<string | undefined> {
  if (locks === undefined) return undefined;
  const name = `qiway-owner ${toHex(crypto.getRandomValues(new Uint8Array(16)))}`;
  await new Promise<void>((resolve, reject) => {
    locks
      .request(name, () => {
        resolve();
        return new Promise<never>(() => {});
      })
      .catch(reject);
  });
  return name;
}
