// Failures in a person's words. Layer: page state; pure.
import { isQiwayError } from '@qiway/sdk';

/** What went wrong, without the code in brackets. */
export function failureText(error: unknown): string {
  const text = error instanceof Error || isQiwayError(error) ? error.message : String(error);
  const sentence = text.replace(/^\[[a-z-]+\] /, '');
  const maybe = isQiwayError(error) && error.maybeExecuted ? ' It may have run on the robot all the same.' : '';
  return `${sentence.charAt(0).toUpperCase()}${sentence.slice(1)}${/[.!?]$/.test(sentence) ? '' : '.'}${maybe}`;
}
