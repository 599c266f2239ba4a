// The parts of one message in one piece, for transports that cannot send parts. Layer 6.

export function joined(first: Uint8Array, rest: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(rest.reduce((length, part) => length + part.length, first.length));
  whole.set(first);
  let offset = first.length;
  for (const part of rest) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
