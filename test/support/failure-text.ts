// How a promise failed, in a word or two: for tests that compare many of them.
import { isQiwayError } from '../../protocol/errors.ts';

/** `none`, or the code of the error, with ` maybe` behind it if the call may have run. Anything else is thrown on. */
export async function failureText(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'none';
  } catch (error) {
    if (!isQiwayError(error)) throw error;
    return error.maybeExecuted ? `${error.code} maybe` : error.code;
  }
}
