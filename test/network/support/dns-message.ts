// A question to the local network and what comes back, byte by byte (RFC 1035, 6762): independent of the library that
// answers. Tooling of the tests; knows no sockets.

export interface DnsRecord {
  readonly name: string;
  readonly type: 'A' | 'PTR' | 'TXT' | 'AAAA' | 'SRV' | number;
  readonly ttl: number;
  /** Of PTR the name, of A the address, of SRV `target:port`, of TXT the strings with a comma between. */
  readonly value: string;
}

const TYPES = { A: 1, PTR: 12, TXT: 16, AAAA: 28, SRV: 33 } as const;
const CLASS_INTERNET = 1;

export function encodeQuestion(name: string, type: keyof typeof TYPES): Buffer {
  const header = Buffer.alloc(12);
  header.writeUInt16BE(1, 4);
  const labels = name.split('.').map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)]));
  const end = Buffer.alloc(5);
  end.writeUInt16BE(TYPES[type], 1);
  end.writeUInt16BE(CLASS_INTERNET, 3);
  return Buffer.concat([header, ...labels, end]);
}

const IS_RESPONSE = 0x8000;

/** Answers and additional records; of a question none, nor what a machine asks whether anybody has it. */
export function readRecords(message: Buffer): DnsRecord[] {
  if ((message.readUInt16BE(2) & IS_RESPONSE) === 0) return [];
  const [questions = 0, ...sections] = [4, 6, 8, 10].map((offset) => message.readUInt16BE(offset));
  let offset = 12;
  for (let index = 0; index < questions; index += 1) offset = readName(message, offset).end + 4;
  const count = sections.reduce((sum, section) => sum + section, 0);
  const records: DnsRecord[] = [];
  for (let index = 0; index < count; index += 1) {
    const { name, end } = readName(message, offset);
    const type = message.readUInt16BE(end);
    const length = message.readUInt16BE(end + 8);
    records.push({
      name,
      type: (Object.entries(TYPES).find(([, number]) => number === type)?.[0] as keyof typeof TYPES) ?? type,
      ttl: message.readUInt32BE(end + 4),
      value: readValue(message, { type, start: end + 10, length }),
    });
    offset = end + 10 + length;
  }
  return records;
}

function readValue(
  message: Buffer,
  { type, start, length }: { readonly type: number; readonly start: number; readonly length: number },
): string {
  const bytes = message.subarray(start, start + length);
  switch (type) {
    case TYPES.A:
      return bytes.join('.');
    case TYPES.PTR:
      return readName(message, start).name;
    case TYPES.SRV:
      return `${readName(message, start + 6).name}:${message.readUInt16BE(start + 4)}`;
    case TYPES.TXT: {
      const texts: string[] = [];
      for (let at = 0; at < length; at += 1 + (bytes[at] ?? 0))
        texts.push(bytes.subarray(at + 1, at + 1 + (bytes[at] ?? 0)).toString());
      return texts.join(',');
    }
    default:
      return bytes.toString('hex');
  }
}

/** `end`: after the name as it stands there, whatever it points to. */
function readName(message: Buffer, start: number): { readonly name: string; readonly end: number } {
  const labels: string[] = [];
  let offset = start;
  let end: number | undefined;
  for (;;) {
    const length = message.readUInt8(offset);
    if (length === 0) return { name: labels.join('.'), end: end ?? offset + 1 };
    if (length >= 0xc0) {
      end ??= offset + 2;
      offset = message.readUInt16BE(offset) & 0x3fff;
    } else {
      labels.push(message.subarray(offset + 1, offset + 1 + length).toString());
      offset += 1 + length;
    }
  }
}
