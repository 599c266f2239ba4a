// What a function throws, for tests that look at an error more than once.
import { isQiwayError, type QiwayError } from '../../protocol/errors.ts';

/** The error of Qiway that `run` throws; anything else, or nothing, fails the test. */
export function failure(run: () => unknown): QiwayError {
  let value: unknown;
  try {
    value = run();
  } catch (error) {
    if (isQiwayError(error)) return error;
    throw error;
  }
  throw new Error(`nothing was thrown; the value is ${String(value)}`);
}
