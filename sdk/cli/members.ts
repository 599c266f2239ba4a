// The commands about one member: call, watch, get, set. Values as JSON, by the same rules as the HTTP door. Command line.
import type { MetaProperty } from '@qiway/protocol/bus/metaobject';
import { QiwayError } from '@qiway/protocol/errors';
import { chooseForJson, findMember, fullName, type Member } from '@qiway/protocol/http-door/members';
import { fromJson, type Json, toJson } from '@qiway/protocol/objects/json';
import { busObjectOf } from '@qiway/protocol/objects/values';
import { Dynamic } from '@qiway/protocol/wire/value';
import type { Robot } from '../index.ts';
import { type Described, describe } from './robot-access.ts';
import { jsonText, type Terminal } from './terminal.ts';
import { type Invocation, readJson, splitMember } from './usage.ts';

type Command = (robot: Robot, invocation: Invocation, terminal: Terminal) => Promise<void>;

interface Named extends Described {
  readonly member: Member;
  /** As it was typed. */
  readonly title: string;
}

async function find(robot: Robot, title: string): Promise<Named> {
  const { service, member } = splitMember(title);
  const described = await describe(robot, service);
  return { ...described, member: findMember(described.metaObject, member, service), title };
}

const asJson = (signature: string, value: unknown): Json => toJson(signature, value, { toObject: busObjectOf });

export const call: Command = async (robot, invocation, terminal) => {
  const [title = '', ...words] = invocation.args;
  const { remote, member } = await find(robot, title);
  if (member.methods.length === 0) throw wrongKind(member, title, 'method');
  const { method, value } = chooseForJson(member, words.map(readJson));
  const args = (value instanceof Dynamic ? value.value : value) as unknown[];
  const run = remote[fullName(method)]?.with({ signal: terminal.interrupted, timeoutMs: invocation.timeoutMs });
  const result = await run?.(...args);
  if (invocation.out !== undefined) {
    await terminal.writeFile(
      invocation.out,
      result instanceof Uint8Array ? result : jsonText(asJson(method.returnSignature, result), invocation.json),
    );
  } else if (method.returnSignature !== 'v' || invocation.json) {
    terminal.out(jsonText(asJson(method.returnSignature, result), invocation.json));
  }
};

export const get: Command = async (robot, invocation, terminal) => {
  const { remote, member, title } = await find(robot, invocation.args[0] ?? '');
  const property = propertyOf(member, title);
  const value = await remote[memberKey(property)]?.value();
  terminal.out(jsonText(asJson(property.signature, value), invocation.json));
};

export const set: Command = async (robot, invocation) => {
  const [target = '', word = ''] = invocation.args;
  const { remote, member, title } = await find(robot, target);
  const property = propertyOf(member, title);
  await remote[memberKey(property)]?.setValue(fromJson(property.signature, readJson(word)));
};

/** Ends after `--count` events, on Ctrl-C (both unsubscribe first), or with the error that ended the subscription. */
export const watch: Command = async (robot, invocation, terminal) => {
  const { remote, member, title } = await find(robot, invocation.args[0] ?? '');
  const { property, signal } = member;
  if (property === undefined && signal === undefined) throw wrongKind(member, title, 'signal');
  const source = property ?? signal;
  const signature = source?.signature ?? '';
  let left = invocation.count ?? Number.POSITIVE_INFINITY;
  const ended = Promise.withResolvers<void>();
  const onEvent = (...args: unknown[]): void => {
    if (left <= 0) return;
    left -= 1;
    terminal.out(jsonText(asJson(signature, property === undefined ? args : args[0]), true));
    if (left === 0) ended.resolve();
  };
  const onInterrupt = (): void => ended.resolve();
  terminal.interrupted.addEventListener('abort', onInterrupt, { once: true });
  try {
    const key = source === undefined ? '' : memberKey(source);
    const gap = (missed: number | undefined): void =>
      terminal.error(`${missed ?? 'some'} ${missed === 1 ? 'event was' : 'events were'} missed here\n`);
    const off = await remote[key]?.connect(onEvent, { gone: (error) => ended.reject(error), gap });
    terminal.error(`watching ${title}; Ctrl-C ends\n`);
    if (terminal.interrupted.aborted) ended.resolve();
    await ended.promise;
    await off?.();
  } finally {
    terminal.interrupted.removeEventListener('abort', onInterrupt);
  }
};

/** Full name of a property or signal: a method of the same name does not stand in its way. */
function memberKey(member: { readonly name: string; readonly signature: string }): string {
  return `${member.name}::${member.signature}`;
}

function propertyOf(member: Member, title: string): MetaProperty {
  if (member.property === undefined) throw wrongKind(member, title, 'property');
  return member.property;
}

/** Says what the member is instead, and which command takes it. */
function wrongKind({ methods, signal, property }: Member, title: string, wanted: string): QiwayError {
  const kinds = [
    methods.length > 0 ? 'a method (qiway call)' : '',
    property === undefined ? '' : 'a property (qiway get, set, watch)',
    signal === undefined ? '' : 'a signal (qiway watch)',
  ];
  return new QiwayError(
    'member-not-found',
    `${title} is no ${wanted} but ${kinds.filter((kind) => kind !== '').join(' and ')}.`,
    { data: { member: title } },
  );
}
