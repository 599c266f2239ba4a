// Line icons of 24 units. Layer: parts. Decoration: the text beside them says what they mean.
import type { JSX } from 'preact';

const PATHS = {
  drive: 'M12 3v5m0 8v5M3 12h5m8 0h5M12 3l-2 2m2-2 2 2m-2 16-2-2m2 2 2-2M3 12l2-2m-2 2 2 2m16-2-2-2m2 2-2 2',
  explore: 'M4 6h16M4 12h10M4 18h7m8.5 1.5L17 17m1-3a3 3 0 1 1-6 0 3 3 0 0 1 6 0z',
  plot: 'M4 4v16h16M7 15l3.5-5 3.5 3 5-7',
  light:
    'M12 7.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9zM12 2v2m0 16v2M2 12h2m16 0h2M5 5l1.4 1.4m11.2 11.2L19 19M5 19l1.4-1.4M17.6 6.4 19 5',
  dark: 'M20 14.5A8.5 8.5 0 1 1 9.5 4a7 7 0 0 0 10.5 10.5z',
  camera: 'M4 8h3l2-3h6l2 3h3v11H4zM12 10a3.5 3.5 0 1 1 0 7 3.5 3.5 0 0 1 0-7z',
  save: 'M12 4v11m0 0-4-4m4 4 4-4M5 20h14',
  close: 'M6 6l12 12M18 6 6 18',
  clear: 'M5 7h14M10 7V4h4v3m-7 0 1 13h8l1-13',
  add: 'M12 5v14M5 12h14',
  pause: 'M9 5v14m6-14v14',
  play: 'M8 5l11 7-11 7z',
  more: 'M6 9l6 6 6-6',
  less: 'M6 15l6-6 6 6',
  lock: 'M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { readonly name: IconName }): JSX.Element {
  return (
    <svg
      viewBox="0 0 24 24"
      width="20"
      height="20"
      fill="none"
      stroke="currentColor"
      stroke-width="1.8"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
