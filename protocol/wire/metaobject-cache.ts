// The cache of metaobjects that two libqi peers may agree on (`MetaObjectCache`): each is sent once per socket. Layer 1; pure.
import type { ByteReader, ByteWriter } from './bytes.ts';
import { MAX_CACHED_METAOBJECT_BYTES, MAX_CACHED_METAOBJECTS } from './limits.ts';
import { readMetaObjectBytes } from './metaobject-bytes.ts';
import type { MetaObjectCache } from './objects.ts';
import { limitExceeded, wireInvalid } from './wire-errors.ts';

/** An empty cache, for one socket, both directions. */
export function createMetaObjectCache(): MetaObjectCache {
  return new SocketCache();
}

class SocketCache implements MetaObjectCache {
  lastSent = 0;
  readonly #received = new Map<number, Uint8Array>();
  /** By the bytes as text. */
  readonly #sent = new Map<string, number>();
  #receivedBytes = 0;
  #sentBytes = 0;

  read(reader: ByteReader): Uint8Array {
    const at = reader.offset;
    const transmitted = reader.uint8() !== 0 ? readMetaObjectBytes(reader) : undefined;
    const id = reader.uint32();
    const known = this.#received.get(id);
    if (transmitted === undefined) {
      if (known === undefined) throw wireInvalid(`metaobject ${id} is used before it was sent`, at);
      return known;
    }
    this.#receivedBytes += transmitted.length - (known?.length ?? 0);
    if (known === undefined && this.#received.size >= MAX_CACHED_METAOBJECTS) {
      throw limitExceeded('too many metaobjects on one socket', 'MAX_CACHED_METAOBJECTS', MAX_CACHED_METAOBJECTS);
    }
    if (this.#receivedBytes > MAX_CACHED_METAOBJECT_BYTES) {
      throw limitExceeded(
        'too large metaobjects on one socket',
        'MAX_CACHED_METAOBJECT_BYTES',
        MAX_CACHED_METAOBJECT_BYTES,
      );
    }
    // A copy: a view would keep the whole payload in memory.
    this.#received.set(id, transmitted.slice());
    return transmitted;
  }

  write(writer: ByteWriter, metaObject: Uint8Array): void {
    const key = byteText(metaObject);
    const known = this.#sent.get(key);
    writer.uint8(known === undefined ? 1 : 0);
    if (known !== undefined) {
      writer.uint32(known);
      return;
    }
    this.#sentBytes += key.length;
    for (const oldest of this.#sent.keys()) {
      if (this.#sent.size < MAX_CACHED_METAOBJECTS && this.#sentBytes <= MAX_CACHED_METAOBJECT_BYTES) break;
      // Forgotten here only: it would be sent again, under a new number.
      this.#sent.delete(oldest);
      this.#sentBytes -= oldest.length;
    }
    this.lastSent += 1;
    this.#sent.set(key, this.lastSent);
    writer.bytes(metaObject);
    writer.uint32(this.lastSent);
  }

  forgetSince(lastSent: number): void {
    if (this.lastSent === lastSent) return;
    for (const [key, id] of this.#sent) {
      if (id <= lastSent) continue;
      this.#sent.delete(key);
      this.#sentBytes -= key.length;
    }
    this.lastSent = lastSent;
  }
}

/** One character per byte: a key that is equal for equal bytes. */
function byteText(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 4096) text += String.fromCharCode(...bytes.subarray(at, at + 4096));
  return text;
}
