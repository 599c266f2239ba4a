/** The version of this package, as the agent is told it. A test holds it to package.json. */
export const VERSION = '0.1.0';
