// Checks of what callers give, with words that say what is right; and waiting for tasks that callers may cancel.
import { QiwayError } from '@qiway/protocol/errors';
import { nearestNames, suggestion } from '@qiway/protocol/nearest-names';
import { type PropertyMember, property } from '@qiway/protocol/objects/hosted-object';
import type { CallContext } from '@qiway/protocol/objects/members';
import type { Task } from '../body/notices.ts';

/** @throws `call-failed` unless `value` is a number within the bounds */
export function within(name: string, value: unknown, bounds: { readonly min: number; readonly max: number }): number {
  if (typeof value === 'number' && value >= bounds.min && value <= bounds.max) return value;
  throw refuse(`${name} must be a number from ${bounds.min} to ${bounds.max}, not ${shown(value)}.`);
}

/** @throws `call-failed` unless `value` is one of the known names */
export function oneOf(name: string, value: string, known: Iterable<string>): string {
  const all = [...known];
  if (all.includes(value)) return value;
  const hint = suggestion(nearestNames(value, all)) || ` There is ${all.join(', ')}.`;
  throw refuse(`There is no ${name} "${value}".${hint}`);
}

/** @throws `call-failed` unless the text has a length within the bounds */
export function textWithin(name: string, text: string, maxLength: number): string {
  if (text.length <= maxLength) return text;
  throw refuse(`${name} may have ${maxLength} characters at most, not ${text.length}.`);
}

/** One or several strings, as a list. @throws `call-failed` */
export function strings(name: string, value: unknown): readonly string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (list.every((one): one is string => typeof one === 'string')) return list;
  throw refuse(`${name} must be a string or a list of strings, not ${shown(value)}.`);
}

/** One or several finite numbers, as a list. @throws `call-failed` */
export function numbers(name: string, value: unknown): readonly number[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (list.every((one): one is number => typeof one === 'number' && Number.isFinite(one))) return list;
  throw refuse(`${name} must be a number or a list of numbers, not ${shown(value)}.`);
}

/** What the caller is told, as it is: the text of the error message on the bus. */
export function refuse(sentence: string): QiwayError<'call-failed'> {
  return new QiwayError('call-failed', sentence, { data: { text: sentence } });
}

/** Waits for a task. @throws `canceled` when the caller cancelled the call, and with it the task */
export async function untilDone<T>(task: Task<T>, call: CallContext): Promise<T> {
  let isCanceled = false;
  call.onCancel(() => {
    isCanceled = true;
    task.cancel();
  });
  const result = await task.done;
  if (isCanceled) throw new QiwayError('canceled', 'The call was cancelled.');
  return result;
}

/** A property that only the robot changes. */
export function readOnly(signature: string, initial: unknown): PropertyMember {
  return property(signature, initial, {
    set: () => {
      throw refuse('This property is read-only: it tells what the robot does.');
    },
  });
}

function shown(value: unknown): string {
  if (typeof value === 'number') return String(value);
  const text =
    JSON.stringify(value, (_, one: unknown) => (typeof one === 'bigint' ? Number(one) : one)) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
