// The nonces of AES-GCM in Noise: 4 zero bytes and a counter of 8 bytes, big endian. Beside layer 5.
// 2^53 records of one direction are out of reach of a link, so the counter does not end.

const LOW = 2 ** 32;

export class Nonces {
  readonly #bytes = new Uint8Array(12);
  readonly #view = new DataView(this.#bytes.buffer);
  #count: number;

  /** @param first for tests of large numbers; a key begins with 0 */
  constructor(first = 0) {
    this.#count = first;
  }

  /** The next one, from 0; the same bytes at every call, so to be read before the next. */
  next(): Uint8Array {
    this.#view.setUint32(4, Math.floor(this.#count / LOW));
    this.#view.setUint32(8, this.#count % LOW);
    this.#count++;
    return this.#bytes;
  }
}
