// Doc comments of generated interfaces. Command line; pure.

export interface About {
  readonly text: string;
  readonly parameters?: readonly { readonly name: string; readonly text: string }[];
  readonly returns?: string;
}

/** The lines of a doc comment, none when there is nothing to say. */
export function docComment(about: About, indent: string): string[] {
  const lines = linesOf(about.text);
  for (const { name, text } of about.parameters ?? []) {
    const [first, ...rest] = linesOf(text);
    if (first !== undefined) lines.push(`@param ${name} ${first}`, ...rest);
  }
  const [first, ...rest] = linesOf(about.returns ?? '');
  if (first !== undefined) lines.push(`@returns ${first}`, ...rest);
  const [only] = lines;
  if (only === undefined) return [];
  if (lines.length === 1) return [`${indent}/** ${only} */`];
  return [`${indent}/**`, ...lines.map((line) => `${indent} * ${line}`.trimEnd()), `${indent} */`];
}

/** Text that cannot end the comment it stands in, nor pass for a tag of its own. */
function linesOf(text: string): string[] {
  const trimmed = text.trim();
  if (trimmed === '') return [];
  return trimmed
    .split(/\r\n|[\n\r\u2028\u2029]/)
    .map((line) => line.trimEnd().replaceAll('*/', '*\\/').replace(/^\s*@/, '\\@'));
}
