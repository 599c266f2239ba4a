// Bytes as base64 text (RFC 4648, section 4). Layer 3; pure, since not every runtime has it built in.

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const values: Int8Array = /* @__PURE__ */ makeValues();

function makeValues(): Int8Array {
  const table = new Int8Array(128).fill(-1);
  for (let index = 0; index < 64; index++) table[alphabet.charCodeAt(index)] = index;
  table[0x2d] = 62; // '-' and '_' of base64url are read too
  table[0x5f] = 63;
  return table;
}

const codes: Uint8Array = /* @__PURE__ */ Uint8Array.from(alphabet, (letter) => letter.charCodeAt(0));
const PAD = 0x3d;
const ascii = /* @__PURE__ */ new TextDecoder();

/** With padding. The characters are written as bytes and read as text once: a picture takes milliseconds. */
export function toBase64(bytes: Uint8Array): string {
  const text = new Uint8Array(Math.ceil(bytes.length / 3) * 4);
  let to = 0;
  for (let at = 0; at < bytes.length; at += 3) {
    const left = bytes.length - at;
    const word =
      ((bytes[at] as number) << 16) |
      ((left > 1 ? (bytes[at + 1] as number) : 0) << 8) |
      (left > 2 ? (bytes[at + 2] as number) : 0);
    text[to++] = codes[word >> 18] as number;
    text[to++] = codes[(word >> 12) & 63] as number;
    text[to++] = left > 1 ? (codes[(word >> 6) & 63] as number) : PAD;
    text[to++] = left > 2 ? (codes[word & 63] as number) : PAD;
  }
  return ascii.decode(text);
}

/** Reads base64 and base64url, padded or not; `undefined` when the text is neither. */
export function fromBase64(text: string): Uint8Array | undefined {
  let length = text.length;
  if (length % 4 === 0) for (let pads = 0; pads < 2 && text[length - 1] === '='; pads++) length--;
  if (length % 4 === 1) return undefined;
  const bytes = new Uint8Array(Math.floor((length * 3) / 4));
  let word = 0;
  let bits = 0;
  let at = 0;
  for (let index = 0; index < length; index++) {
    const code = text.charCodeAt(index);
    const value = code < 128 ? (values[code] as number) : -1;
    if (value < 0) return undefined;
    word = (word << 6) | value;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[at++] = (word >> bits) & 0xff;
      word &= (1 << bits) - 1;
    }
  }
  return word === 0 ? bytes : undefined;
}
