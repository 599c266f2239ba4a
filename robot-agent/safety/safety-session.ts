// What safety needs of an agent's session.
import type { QiwayError } from '@qiway/protocol/errors';

export interface SafetySession {
  readonly id: string;
  /** Id of the client's identity. */
  readonly clientId: string;
  /** What the client calls itself. */
  readonly client: string;
  /** When something last came from it, on the agent's clock. */
  readonly lastHeardMs: number;
  /** What comes now was sent before a silence. */
  readonly isStale: boolean;
  /** `closed` without an error: the client said goodbye. */
  listen(listener: { heard?(): void; closed?(error: QiwayError | undefined): void }): () => void;
}

/** For people, in refusals and lists. Ids are shortened: enough to tell two tablets apart. */
export function inWords({ client, clientId }: SafetySession): string {
  return `${client === '' ? 'a client' : client} (${clientId.slice(0, 6)})`;
}
