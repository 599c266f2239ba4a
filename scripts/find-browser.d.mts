// Types of find-browser.mjs, which is plain JavaScript because setup runs it on older Nodes.

/** Path of a Chromium, or undefined when there is none. A `$CHROMIUM_PATH` that is set and wrong throws. */
export declare function findBrowser(): Promise<string | undefined>;

/** Path of a Firefox, or undefined when there is none. A `$FIREFOX_PATH` that is set and wrong throws. */
export declare function findFirefox(): string | undefined;

/** The first of these programs that PATH leads to. */
export declare function findOnPath(...wanted: readonly string[]): string | undefined;
