// A titled plate, the console's container. Layer: parts.
import type { ComponentChildren, JSX } from 'preact';

interface PlateProps {
  readonly title: string;
  readonly class?: string;
  /** Beside the title. */
  readonly tools?: ComponentChildren;
  readonly children: ComponentChildren;
}

export function Plate({ title, class: name = '', tools, children }: PlateProps): JSX.Element {
  return (
    <section class={`plate ${name}`} aria-label={title}>
      <div class="plate-head">
        <h2>{title}</h2>
        {tools}
      </div>
      {children}
    </section>
  );
}
