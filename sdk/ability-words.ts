// What a page lacks, in words, as the core has it: loaded when it is asked for.
import { onceLoaded } from './once-loaded.ts';
import type { MissingAbility } from './page-abilities.ts';
import type { AbilityWords } from './page-advice.ts';

const loadPart = onceLoaded('says what a page lacks', () => import('./page-advice.ts'));

/**
 * What each of them costs, and what a person can do about it; in their order.
 * @param missing `robot.status.missing`
 * @param origin of the page; default: its own
 * @throws `dial-failed` when this part of the SDK cannot be loaded
 * @example
 * const robot = await connect('http://robot.local:8080/#token=…');
 * for (const { loss, advice } of await abilityWords(robot.status.missing)) console.log(loss, advice);
 */
export async function abilityWords(
  missing: readonly MissingAbility[],
  origin: string = globalThis.location?.origin ?? '',
): Promise<readonly AbilityWords[]> {
  const { wordsFor } = await loadPart();
  return missing.map((each) => wordsFor(each, origin));
}
