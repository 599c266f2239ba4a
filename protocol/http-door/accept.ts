// Which media types a request takes (RFC 9110, section 12.5.1). Pure.

/** How much a request wants `type`: 0 (not at all) to 1. No header takes everything. */
export function acceptance(accept: string | undefined, type: string): number {
  if (accept === undefined || accept.trim() === '') return 1;
  const [family = ''] = type.split('/');
  let best = { precision: -1, quality: 0 };
  for (const range of accept.toLowerCase().split(',')) {
    const [name = '', ...parameters] = range.split(';').map((part) => part.trim());
    const precision = ['*/*', `${family}/*`, type].indexOf(name);
    if (precision > best.precision) best = { precision, quality: qualityOf(parameters) };
  }
  return best.quality;
}

function qualityOf(parameters: readonly string[]): number {
  const text = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
  if (text === undefined) return 1;
  const quality = Number(text);
  return Number.isFinite(quality) ? Math.min(Math.max(quality, 0), 1) : 0;
}

/** Is `type` named by the header itself, not only by a wildcard? */
export function namesType(accept: string | undefined, type: string): boolean {
  return accept !== undefined && acceptance(accept, type) > 0 && accept.toLowerCase().includes(type);
}

/** How much the header wants pictures, by naming some or all of them: 0 to 1. */
export function pictureAcceptance(accept: string | undefined): number {
  if (accept?.toLowerCase().includes('image/') !== true) return 0;
  return Math.max(...PICTURES.map((type) => acceptance(accept, type)));
}

/** What pictures may come as. */
const PICTURES: readonly string[] = ['image/png', 'image/jpeg', 'image/webp', 'image/gif'];

export const EVENT_STREAM = 'text/event-stream';
export const OCTETS = 'application/octet-stream';
export const JSON_TYPE = 'application/json';
export const FRAMES = 'multipart/x-mixed-replace';
