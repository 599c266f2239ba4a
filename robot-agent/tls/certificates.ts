// The certificate that the agent shows, as it changes while the agent runs: the seam between where certificates come from
// (files, an authority of the robot's own) and who shows them. Knows neither.

/** PEM. */
export interface Shown {
  /** The certificate, then those between it and the authority. */
  readonly cert: string;
  readonly key: string;
}

export interface Certificates {
  readonly shown: Shown;
  /** The authority that devices must be taught to trust, PEM; undefined: they know it already. */
  readonly authority: string | undefined;
  /** Told of each `shown` that takes the place of another. */
  onChange(run: (shown: Shown) => void): void;
  /** The addresses or names of this machine may be others: what is shown stands for them once this resolves. Never rejects. */
  follow(): Promise<void>;
  /** No further change. */
  stop(): void;
}
