// Failures in a person's words. Layer: page state; pure.
import { isQiwayError } from '@qiway/sdk';

/** A message of the SDK without the code in brackets that it begins with. */
function withoutCode(text: string): string {
  return text.replace(/^\[[a-z-]+\] /, '');
}

/** A sentence that quotes messages of the SDK, without their codes. */
export function withoutCodes(text: string): string {
  return text.replaceAll(/\[[a-z]+(-[a-z]+)*\] /g, '');
}

/** With a capital and an end. */
export function asSentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;
}

/** What went wrong, without the code in brackets. */
export function failureText(error: unknown): string {
  const text = error instanceof Error || isQiwayError(error) ? error.message : String(error);
  const sentence = withoutCode(text);
  const maybe = isQiwayError(error) && error.maybeExecuted ? ' It may have run on the robot all the same.' : '';
  return `${asSentence(sentence)}${maybe}`;
}
