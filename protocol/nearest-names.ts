// Which known names look like one that is not known: what error messages suggest. Layer 0; pure.

/** Names longer than this are not compared: nobody types them, and the work grows with the square. */
const LONGEST_COMPARED = 100;

/** At most `count` of `names` that look like `name`, the most alike first; none if nothing is alike. */
export function nearestNames(name: string, names: Iterable<string>, count = 3): string[] {
  const wanted = name.toLowerCase();
  if (wanted.length > LONGEST_COMPARED) return [];
  const scored: { readonly name: string; readonly distance: number }[] = [];
  for (const candidate of new Set(names)) {
    const other = candidate.toLowerCase();
    if (other.length > LONGEST_COMPARED) continue;
    const isPart = wanted.length >= 3 && other.includes(wanted);
    const distance = isPart ? 1 : editDistance(wanted, other);
    if (distance <= Math.max(1, Math.floor(Math.max(wanted.length, other.length) / 3)))
      scored.push({ name: candidate, distance });
  }
  scored.sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1));
  return scored.slice(0, count).map((entry) => entry.name);
}

/** Levenshtein distance: the least number of letters put in, taken out or changed. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const change = (previous[column - 1] as number) + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min(change, (previous[column] as number) + 1, (current[column - 1] as number) + 1));
    }
    previous = current;
  }
  return previous[b.length] as number;
}

/** ` Did you mean A, B or C?`, or nothing. */
export function suggestion(nearest: readonly string[]): string {
  if (nearest.length === 0) return '';
  const last = nearest[nearest.length - 1] as string;
  return nearest.length === 1
    ? ` Did you mean ${last}?`
    : ` Did you mean ${nearest.slice(0, -1).join(', ')} or ${last}?`;
}
