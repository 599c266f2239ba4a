// The version of this package: a constant, since a page has no manifest to read.
/** The version of this package, as the agent is told it. A test holds it to package.json. */
export const VERSION = '0.1.0';
