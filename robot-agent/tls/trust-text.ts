// What is printed for people who are to trust the robot's authority. Pure.

/** Lines for the terminal; empty where there is nothing to be taught. @param origin `http://host:port` */
export function trustText(origin: string, fingerprint: string | undefined): string {
  if (fingerprint === undefined) return '';
  return `To open the robot without a warning, a device must trust the robot's authority: open ${origin}/install on it,
and compare the fingerprint (SHA-256) there with this one before you install anything:
  ${fingerprint}
`;
}
