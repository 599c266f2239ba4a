// Light or dark: the system's choice until the person makes one, which this browser then remembers. Layer: page state.
import { type ReadonlySignal, signal } from '@preact/signals';

export type ThemeName = 'light' | 'dark';

export interface Theme {
  readonly name: ReadonlySignal<ThemeName>;
  toggle(): void;
}

const STORED = 'qiway.theme';

export function createTheme(root: HTMLElement, store: Storage, prefersDark: MediaQueryList): Theme {
  const stored = store.getItem(STORED);
  let chosen: ThemeName | undefined = stored === 'light' || stored === 'dark' ? stored : undefined;
  const system = (): ThemeName => (prefersDark.matches ? 'dark' : 'light');
  const name = signal<ThemeName>(chosen ?? system());
  const apply = (): void => {
    name.value = chosen ?? system();
    if (chosen === undefined) delete root.dataset['theme'];
    else root.dataset['theme'] = chosen;
  };
  prefersDark.addEventListener('change', apply);
  apply();
  return {
    name,
    toggle() {
      chosen = name.value === 'dark' ? 'light' : 'dark';
      store.setItem(STORED, chosen);
      apply();
    },
  };
}
