// What the agent has told of itself and of the robot, put together from welcomes and status frames. Layer 5; plain data.
import type { KnownServices } from '../directory/known-services.ts';
import { type ClassTable, createClassTable } from '../member-class.ts';
import type { Told } from './control.ts';

export class Heard {
  readonly #known: Pick<KnownServices, 'classes' | 'classesTold'> | undefined;
  #told: Told = { bus: 'up' };
  #classes: ClassTable = createClassTable([]);

  /** @param known is told what lasts longer than a session */
  constructor(known?: Pick<KnownServices, 'classes' | 'classesTold'>) {
    this.#known = known;
  }

  get told(): Told {
    return this.#told;
  }

  /** What calls do, as the agent says. */
  get classes(): ClassTable {
    return this.#classes;
  }

  /** Nothing is told yet: what calls do is as it was. */
  remember(): void {
    this.#classes = createClassTable(this.#known?.classes ?? []);
  }

  /** What is absent is as before. */
  hear(news: Partial<Told>): void {
    const before = this.#told;
    const { bus = before.bus, addresses = before.addresses, classes = before.classes } = news;
    // Goes with the state that it explains.
    const busReason = news.bus === undefined ? before.busReason : news.busReason;
    this.#told = {
      bus,
      ...(busReason !== undefined && { busReason }),
      ...(addresses !== undefined && { addresses }),
      ...(classes !== undefined && { classes }),
    };
    if (news.classes === undefined) return;
    this.#classes = createClassTable(news.classes);
    this.#known?.classesTold(news.classes);
  }
}
