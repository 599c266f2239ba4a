// The diagnosis as the core has it: loaded when it is asked for.
import { onceLoaded } from '../once-loaded.ts';
import type { DiagnoseOptions, Diagnosis } from './diagnose.ts';

const loadPart = onceLoaded('diagnoses', () => import('./diagnose.ts'));

/**
 * Finds out what keeps this page or program from a robot, from the URL to the first call: each step with what was found, and
 * a summary that says what to do. Opens a session of its own and closes it; running ones are not touched. In a page of https
 * the browser may ask its user for the local network.
 * @param url as for `connect`
 * @throws `dial-failed` when this part of the SDK cannot be loaded; all else is in what it resolves to
 * @example
 * const { isOk, summary } = await diagnose('http://192.168.1.20:8080/#token=secret');
 * if (!isOk) console.log(summary);
 */
export async function diagnose(url: string, options: DiagnoseOptions = {}): Promise<Diagnosis> {
  return (await loadPart()).diagnose(url, options);
}
