// Where a Chromium is: $CHROMIUM_PATH, then the system's, then Playwright's own. Where a Firefox is: $FIREFOX_PATH, then the system's.
// Plain JavaScript for Node 18 and later; used by setup, doctor, the tests and the bench.

import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];
const places = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
];

const firefoxNames = ['firefox-esr', 'firefox'];
const firefoxPlaces = ['/Applications/Firefox.app/Contents/MacOS/firefox'];

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** The first of these programs that PATH leads to. */
export function findOnPath(...wanted) {
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  return wanted.flatMap((name) => folders.map((folder) => join(folder, name))).find(isProgram);
}

async function playwrightsOwn() {
  try {
    const { chromium } = await import('playwright');
    return chromium.executablePath();
  } catch {
    return undefined;
  }
}

function chosenBy(variable) {
  const chosen = process.env[variable];
  if (!chosen || isProgram(chosen)) return chosen || undefined;
  throw new Error(
    `${variable} says ${chosen}, which is no program. Correct it, or unset it to let setup find or install a browser.`,
  );
}

/** Path of a Firefox, or undefined when there is none. A $FIREFOX_PATH that is set and wrong throws. */
export function findFirefox() {
  return chosenBy('FIREFOX_PATH') ?? findOnPath(...firefoxNames) ?? firefoxPlaces.find(isProgram);
}

/** Path of a Chromium, or undefined when there is none. A $CHROMIUM_PATH that is set and wrong throws. */
export async function findBrowser() {
  const chosen = chosenBy('CHROMIUM_PATH');
  if (chosen !== undefined) return chosen;
  const found = findOnPath(...names) ?? places.find(isProgram);
  if (found !== undefined) return found;
  const own = await playwrightsOwn();
  return own !== undefined && isProgram(own) ? own : undefined;
}
