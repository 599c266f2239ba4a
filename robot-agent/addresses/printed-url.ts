// The URL that the agent prints and people hand on: where it is, what lets in, and who it is. Knows no sockets.

export interface PrintedUrlParts {
  /** `http://host:port`. */
  readonly origin: string;
  readonly token: string;
  /** The id of the robot: whoever opens the URL talks to no other. */
  readonly robotId: string;
}

/** `http://host:port/#token=…&robot=…`; what stands in the fragment is never sent to a server. */
export function printedUrl({ origin, token, robotId }: PrintedUrlParts): string {
  return `${origin}/#token=${encodeURIComponent(token)}&robot=${robotId}`;
}
