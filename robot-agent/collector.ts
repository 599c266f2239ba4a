// How often the agent's memory is collected. Robot-agent; a setting of the engine, to be made before anything else runs.
import { setFlagsFromString } from 'node:v8';

/**
 * Payload buffers live outside the JavaScript heap. By default V8 collects the whole heap each time they have grown by
 * some tens of megabytes; with 1 MiB payloads that was two thirds of the agent's CPU time (docs/performance.md). With
 * this flag they count as part of the heap, whose limit grows with use. Older engines do not have the flag and would complain.
 */
export function collectLessOften(): void {
  const [major = 0, minor = 0] = process.versions.v8.split('.').map(Number);
  if (major > 13 || (major === 13 && minor >= 6)) setFlagsFromString('--external-memory-accounted-in-global-limit');
}
