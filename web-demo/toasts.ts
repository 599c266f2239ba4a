// Short messages that go away by themselves. Layer: page state; no DOM.
import { type ReadonlySignal, signal } from '@preact/signals';

export interface Toast {
  readonly id: number;
  readonly text: string;
  readonly from: 'console' | 'robot';
}

export interface Toasts {
  readonly shown: ReadonlySignal<readonly Toast[]>;
  show(text: string, from?: Toast['from']): void;
  dismiss(id: number): void;
}

const MAX_SHOWN = 4;
const LIFE_MS = 9000;

export function createToasts(after: (delayMs: number, run: () => void) => () => void): Toasts {
  const shown = signal<readonly Toast[]>([]);
  let lastId = 0;
  const dismiss = (id: number): void => {
    shown.value = shown.value.filter((toast) => toast.id !== id);
  };
  return {
    shown,
    dismiss,
    show(text, from = 'console') {
      if (shown.value.some((toast) => toast.text === text && toast.from === from)) return;
      lastId += 1;
      const id = lastId;
      shown.value = [...shown.value, { id, text, from }].slice(-MAX_SHOWN);
      after(LIFE_MS, () => dismiss(id));
    },
  };
}
