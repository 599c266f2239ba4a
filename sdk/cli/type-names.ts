// Names for generated TypeScript: identifiers that nothing else uses. Command line; pure.

/** Words that cannot name a parameter or an interface, and globals that a generated file relies on. */
const RESERVED: ReadonlySet<string> = new Set(
  `any arguments as async await bigint boolean break case catch class const continue debugger declare default delete do else enum eval
  export extends false finally for function get if implements import in infer instanceof interface is keyof let module namespace never
  new null number object of package private protected public readonly require return set static string super switch symbol this throw
  true try type typeof undefined unique unknown var void while with yield Map Record Uint8Array Property RemoteObject Services Signal`.split(
    /\s+/,
  ),
);

const IDENTIFIER = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u;

/** A member's name as it stands in an interface: bare, or quoted where it is no identifier. */
export function memberName(name: string): string {
  return IDENTIFIER.test(name) ? name : JSON.stringify(name);
}

/** An identifier as near to `name` as can be. */
export function identifier(name: string): string {
  const bare = name.replaceAll(/[^\p{ID_Continue}$]+/gu, '_');
  const started = IDENTIFIER.test(bare) ? bare : `_${bare}`;
  return RESERVED.has(started) ? `${started}_` : started;
}

/** Gives each name once: the second taker of `Point` gets `Point2`. */
export class NamePool {
  readonly #taken = new Set<string>();

  take(name: string): string {
    const wanted = identifier(name);
    let free = wanted;
    for (let number = 2; this.#taken.has(free); number += 1) free = `${wanted}${number}`;
    this.#taken.add(free);
    return free;
  }
}
