// A value that came from the robot: as text, bytes to save, objects to open. Layer: explorer.
import { metaObjectOf } from '@qiway/sdk';
import type { JSX } from 'preact';
import { showValue } from './show-value.ts';

interface ResultProps {
  readonly value: unknown;
  readonly title: string;
  readonly onOpenObject: (object: object, title: string) => void;
}

export function ResultView({ value, title, onOpenObject }: ResultProps): JSX.Element {
  const objects = findObjects(value);
  return (
    <>
      {!isRemoteObject(value) && <pre class="output">{showValue(value)}</pre>}
      {(objects.length > 0 || value instanceof Uint8Array) && (
        <div class="row">
          {objects.map((object, index) => (
            <button key={index} type="button" class="button" onClick={() => onOpenObject(object, title)}>
              Open the object{objects.length > 1 ? ` ${index + 1}` : ''}
            </button>
          ))}
          {value instanceof Uint8Array && (
            <button type="button" class="button" onClick={() => saveBytes(value, title)}>
              Save the bytes
            </button>
          )}
        </div>
      )}
    </>
  );
}

/** An object of the robot, in difference to data. */
function isRemoteObject(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  try {
    metaObjectOf(value);
    return true;
  } catch {
    return false;
  }
}

function findObjects(value: unknown): readonly object[] {
  if (isRemoteObject(value)) return [value];
  if (value instanceof Map) return [...(value as Map<unknown, unknown>).values()].flatMap(findObjects);
  if (Array.isArray(value)) return value.flatMap(findObjects);
  return [];
}

function saveBytes(bytes: Uint8Array, title: string): void {
  const anchor = document.createElement('a');
  anchor.href = URL.createObjectURL(new Blob([new Uint8Array(bytes)]));
  anchor.download = `${title.replace(/\W+/g, '-')}.bin`;
  anchor.click();
  URL.revokeObjectURL(anchor.href);
}
