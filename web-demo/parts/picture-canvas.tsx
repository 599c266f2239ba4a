// A canvas that shows the newest picture. Layer: parts. It must not know where pictures come from.
import type { ReadonlySignal } from '@preact/signals';
import { useSignalEffect } from '@preact/signals';
import type { JSX } from 'preact';
import { useRef } from 'preact/hooks';

interface PictureCanvasProps {
  readonly picture: ReadonlySignal<
    { readonly width: number; readonly height: number; readonly rgba: Uint8ClampedArray<ArrayBuffer> } | undefined
  >;
  readonly label: string;
}

export function PictureCanvas({ picture, label }: PictureCanvasProps): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  useSignalEffect(() => {
    const shown = picture.value;
    const element = canvas.current;
    if (element === null || shown === undefined) return;
    if (element.width !== shown.width || element.height !== shown.height) {
      element.width = shown.width;
      element.height = shown.height;
    }
    element.getContext('2d')?.putImageData(new ImageData(shown.rgba, shown.width, shown.height), 0, 0);
  });
  return <canvas ref={canvas} class="picture" width={320} height={240} role="img" aria-label={label} />;
}
