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

/** Characters gathered before they are joined: long strings by single additions are slow in every engine. */
const CHUNK_BYTES = 3 * 4096;

/** With padding. */
export function toBase64(bytes: Uint8Array): string {
  const parts: string[] = [];
  for (let start = 0; start < bytes.length; start += CHUNK_BYTES)
    parts.push(encodeChunk(bytes, start, Math.min(start + CHUNK_BYTES, bytes.length)));
  return parts.join('');
}

function encodeChunk(bytes: Uint8Array, start: number, end: number): string {
  let text = '';
  for (let at = start; at < end; at += 3) {
    const left = end - at;
    const word =
      ((bytes[at] as number) << 16) |
      ((left > 1 ? (bytes[at + 1] as number) : 0) << 8) |
      (left > 2 ? (bytes[at + 2] as number) : 0);
    text += (alphabet[word >> 18] as string) + (alphabet[(word >> 12) & 63] as string);
    text += left > 1 ? alphabet[(word >> 6) & 63] : '=';
    text += left > 2 ? alphabet[word & 63] : '=';
  }
  return text;
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
