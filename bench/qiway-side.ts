import type { Side, SideOptions } from './sides.ts';
export async function startQiway(options: SideOptions): Promise<Side> {
  throw new Error(String(options));
}
