// Part of the service worker: the few failures that it tells itself, as problem documents (RFC 9457) of the door's form. Small
// on purpose: the door's own words live with the owner of the link.

export interface WorkerProblem {
  readonly status: number;
  /** Of docs/errors.md. */
  readonly code: 'offline' | 'link-lost' | 'timeout' | 'protocol-mismatch' | 'forbidden' | 'internal';
  readonly title: string;
  readonly detail: string;
  readonly maybeExecuted?: boolean;
}

/** What a client waits before it asks again, seconds: as the door says it. */
const RETRY_AFTER_SECONDS = '2';

export function workerProblem({ status, code, title, detail, maybeExecuted = false }: WorkerProblem): Response {
  const type = `urn:qiway:error:${code}`;
  const document = { type, title, status, detail, code, data: {}, ...(maybeExecuted ? { maybeExecuted } : {}) };
  return new Response(`${JSON.stringify(document)}\n`, {
    status,
    headers: {
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      ...(status === 503 ? { 'retry-after': RETRY_AFTER_SECONDS } : {}),
    },
  });
}
