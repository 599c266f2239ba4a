// What the user gave: options of the command line and of a configuration file, by name, before their values are checked.
// Knows the names of options and no meaning.
import { parseArgs } from 'node:util';
import { QiwayError } from '@qiway/protocol/errors';
import { nearestNames, suggestion } from '@qiway/protocol/nearest-names';
import { OPTIONS, optionNamed } from './options.ts';

/** Option names, without dashes, and what was given for them. */
export type Given = Record<string, unknown>;

export function refuse(key: string, sentence: string, cause?: unknown): never {
  throw new QiwayError('config-invalid', sentence, { data: { key }, cause });
}

export function readFlags(args: readonly string[]): Given {
  const options = Object.fromEntries(
    OPTIONS.map(({ name, kind }) => [
      name,
      { type: kind === 'switch' ? ('boolean' as const) : ('string' as const), multiple: kind === 'list' },
    ]),
  );
  const { tokens } = parseArgs({ args: [...args], options, strict: false, allowPositionals: true, tokens: true });
  const given: Given = {};
  for (const token of tokens) {
    if (token.kind === 'positional')
      refuse(token.value, `"${token.value}" is not an option; options begin with --. See --help.`);
    if (token.kind !== 'option') continue;
    const option = optionNamed(token.name) ?? refuseUnknown(token.name, `There is no option ${token.rawName}.`, '--');
    const flag = `--${option.name}`;
    if (option.kind === 'switch') {
      if (token.value !== undefined) refuse(option.name, `${flag} takes no value.`);
      given[option.name] = true;
      continue;
    }
    const isMissing =
      token.value === undefined || token.value === '' || (token.value.startsWith('--') && !token.inlineValue);
    if (isMissing) refuse(option.name, `${flag} needs a value: ${flag} ${option.value}.`);
    if (option.kind === 'list')
      given[option.name] = [...((given[option.name] as string[] | undefined) ?? []), token.value];
    else if (option.name in given) refuse(option.name, `${flag} is given twice.`);
    else given[option.name] = token.value;
  }
  return given;
}

function refuseUnknown(name: string, sentence: string, prefix: '--' | ''): never {
  const allowed = OPTIONS.filter(({ isInFile }) => isInFile || prefix === '--');
  const nearest = nearestNames(
    name,
    allowed.map((option) => option.name),
  ).map((known) => prefix + known);
  return refuse(name, `${sentence}${suggestion(nearest)} See --help.`);
}

export function readFileKeys(path: string, readFile: (path: string) => string): Given {
  let text: string;
  try {
    text = readFile(path);
  } catch (cause) {
    return refuse('config', `--config ${path} cannot be read: ${whyUnreadable(cause)}.`, cause);
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    return refuse('config', `--config ${path} is not JSON: ${whyUnreadable(cause)}.`, cause);
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    refuse('config', `--config ${path} must hold a JSON object.`);
  for (const key of Object.keys(json)) {
    const option = optionNamed(key);
    if (option === undefined || !option.isInFile) refuseUnknown(key, `${path} has an unknown key "${key}".`, '');
  }
  return json as Given;
}

/** Why a file cannot be read, in words. */
export function whyUnreadable(cause: unknown): string {
  const { code } = cause as { readonly code?: string };
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'EACCES') return 'this user may not read it';
  if (code === 'EISDIR') return 'it is a directory';
  return cause instanceof Error ? cause.message : String(cause);
}
