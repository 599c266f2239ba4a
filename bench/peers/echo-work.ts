// The work every side does for a call: the same, and next to none, so that what is measured is the way there.

const bodies = new Map<number, Uint8Array>();

/** `size` bytes that do not repeat within a row of 256; made once per size. */
export function bytesOf(size: number): Uint8Array {
  let body = bodies.get(size);
  if (body === undefined) {
    body = Uint8Array.from({ length: size }, (_, index) => (index * 7 + (index >> 8)) & 0xff);
    bodies.set(size, body);
  }
  return body;
}
