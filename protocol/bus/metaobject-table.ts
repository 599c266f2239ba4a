// The metaobjects of the objects that a peer holds: one for all objects of a class, however many arrive. Layer 2.
import { overLimit } from '../errors.ts';
import { type MetaObject, readMetaObject } from './metaobject.ts';

interface Shared {
  readonly text: string;
  readonly metaObject: MetaObject;
  users: number;
}

/** Bytes up to which metaobjects stay when nobody uses them: objects that come and go are not read again each time. */
const KEPT_BYTES = 262_144;
/** Each byte is one character of its own, so equal text means equal bytes. */
const latin1 = new TextDecoder('latin1');

export class MetaObjectTable {
  readonly #maxBytes: number;
  readonly #byText = new Map<string, Shared>();
  readonly #shared = new Map<MetaObject, Shared>();
  #bytes = 0;

  /** @param maxBytes of all different metaobjects together */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The metaobject of these bytes, of which nothing is kept; to be given back by `drop`. @throws `wire-invalid`, `limit-exceeded` */
  take(bytes: Uint8Array): MetaObject {
    const text = latin1.decode(bytes);
    let shared = this.#byText.get(text);
    if (shared === undefined) {
      const maximum = this.#maxBytes;
      if (this.#bytes + bytes.length > maximum)
        throw overLimit(`The other side described its objects in more than ${maximum} bytes.`, {
          limit: 'maxMetaObjectBytes',
          maximum,
        });
      // A copy: a view would keep the whole message in memory.
      shared = { text, metaObject: readMetaObject(bytes.slice()), users: 0 };
      this.#byText.set(text, shared);
      this.#shared.set(shared.metaObject, shared);
      this.#bytes += bytes.length;
    }
    shared.users += 1;
    return shared.metaObject;
  }

  drop(metaObject: MetaObject): void {
    const shared = this.#shared.get(metaObject);
    if (shared === undefined) return;
    shared.users -= 1;
    if (shared.users > 0 || this.#bytes <= KEPT_BYTES) return;
    this.#byText.delete(shared.text);
    this.#shared.delete(metaObject);
    this.#bytes -= metaObject.bytes.length;
  }
}
