// What goes wrong in a browser without anybody hearing: exceptions and rejections that nobody caught, in pages and workers alike.
import type { Browser } from 'playwright';

export interface BrowserFaults {
  /** As the browser tells them, with where they happened. */
  readonly faults: readonly string[];
  /** Bytes that the script of the newest SharedWorker holds, after it was swept. */
  workerBytes(): Promise<number>;
  /** Resolves once everything that happened before is told. */
  told(): Promise<void>;
}

interface Told {
  readonly id?: number;
  readonly method?: string;
  readonly result?: { readonly usedSize?: number };
  readonly params?: {
    readonly exceptionDetails?: {
      readonly text: string;
      readonly exception?: { readonly description?: string; readonly value?: unknown };
    };
  };
}

/** What is being ended answers nothing, and is not told as gone for a while. */
const PATIENCE_MS = 2_000;

/** To be called before pages are opened. */
export async function watchFaults(browser: Browser): Promise<BrowserFaults> {
  const session = await browser.newBrowserCDPSession();
  const faults: string[] = [];
  /** Kinds of what is watched, by session, and sessions by what is watched. */
  const sessions = new Map<string, string>();
  const targets = new Map<string, string>();
  const answers = new Map<number, { readonly sessionId: string; readonly answer: (told: Told) => void }>();
  let messages = 0;
  const ask = (sessionId: string, method: string): Promise<Told> => {
    messages += 1;
    const id = messages;
    const answer = new Promise<Told>((resolve) => answers.set(id, { sessionId, answer: resolve }));
    const message = JSON.stringify({ id, method });
    session.send('Target.sendMessageToTarget', { sessionId, message }).catch(() => answers.get(id)?.answer({}));
    return answer;
  };
  session.on('Target.targetCreated', ({ targetInfo: { targetId, type } }) => {
    if (!['page', 'shared_worker', 'service_worker'].includes(type)) return;
    session.send('Target.attachToTarget', { targetId, flatten: false }).then(
      ({ sessionId }) => {
        sessions.set(sessionId, type);
        targets.set(targetId, sessionId);
        void ask(sessionId, 'Runtime.enable');
      },
      () => {}, // it is gone already
    );
  });
  session.on('Target.targetDestroyed', ({ targetId }) => {
    const sessionId = targets.get(targetId) ?? '';
    sessions.delete(sessionId);
    for (const [id, waiting] of [...answers]) {
      if (waiting.sessionId !== sessionId) continue;
      answers.delete(id);
      waiting.answer({});
    }
  });
  session.on('Target.receivedMessageFromTarget', ({ message, sessionId }) => {
    const told = JSON.parse(message) as Told;
    if (told.id !== undefined) {
      answers.get(told.id)?.answer(told);
      answers.delete(told.id);
    }
    const { text, exception } = told.params?.exceptionDetails ?? {};
    if (told.method === 'Runtime.exceptionThrown')
      faults.push(`${sessions.get(sessionId)}: ${text} ${exception?.description ?? String(exception?.value)}`);
  });
  await session.send('Target.setDiscoverTargets', { discover: true });
  return {
    faults,
    told: async () => {
      const patience = new Promise((resolve) => setTimeout(resolve, PATIENCE_MS));
      await Promise.race([patience, Promise.all([...sessions.keys()].map((each) => ask(each, 'Runtime.enable')))]);
    },
    workerBytes: async () => {
      const [worker = ''] = [...sessions].findLast(([, type]) => type === 'shared_worker') ?? [];
      await ask(worker, 'HeapProfiler.collectGarbage');
      return (await ask(worker, 'Runtime.getHeapUsage')).result?.usedSize ?? Number.NaN;
    },
  };
}
