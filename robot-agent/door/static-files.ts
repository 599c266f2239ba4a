// Serves the files of one directory: a web app beside the agent, at the same origin. GET and HEAD only; nothing outside
// the directory, nothing hidden.
import { createReadStream } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { extname, join, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.webmanifest': 'application/manifest+json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.webp': 'image/webp',
  '.gif': 'image/gif',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.wasm': 'application/wasm',
  '.txt': 'text/plain; charset=utf-8',
};

/**
 * Scripts and styles of its own, pictures made in the page; nobody may frame it. Links to anywhere: the robot may move to
 * an address that nobody knows yet, and who it is shows in the handshake.
 */
const CONTENT_SECURITY_POLICY: string = [
  "default-src 'self'",
  "connect-src 'self' ws: wss:",
  "img-src 'self' data: blob:",
  "style-src 'self' 'unsafe-inline'",
  "worker-src 'self' blob:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

/** Answers the request if the directory has such a file; else answers nothing and gives false. */
export async function serveFile(
  directory: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<boolean> {
  const file = await findFile(directory, request.url ?? '/');
  if (file === undefined) return false;
  const { path, size, modifiedMs } = file;
  const type = TYPES[extname(path).toLowerCase()] ?? 'application/octet-stream';
  const etag = `W/"${size.toString(36)}-${Math.floor(modifiedMs).toString(36)}"`;
  response.setHeader('etag', etag);
  // File names below assets/ hold a hash of the content.
  response.setHeader(
    'cache-control',
    path.includes(`${sep}assets${sep}`) ? 'public, max-age=31536000, immutable' : 'no-cache',
  );
  if (type.startsWith('text/html')) response.setHeader('content-security-policy', CONTENT_SECURITY_POLICY);
  if (
    (request.headers['if-none-match'] ?? '').split(',').some((known) => known.trim() === etag || known.trim() === '*')
  ) {
    response.writeHead(304).end();
    return true;
  }
  response.writeHead(200, { 'content-type': type, 'content-length': size });
  if (request.method === 'HEAD') response.end();
  // A reader that goes away, or a file cut short while it is read, ends the response; there is no one to tell.
  else await pipeline(createReadStream(path, { end: Math.max(0, size - 1) }), response).catch(() => response.destroy());
  return true;
}

interface FoundFile {
  readonly path: string;
  readonly size: number;
  readonly modifiedMs: number;
}

async function findFile(directory: string, url: string): Promise<FoundFile | undefined> {
  const names = readNames(url);
  if (names === undefined) return undefined;
  try {
    const root = await realpath(directory);
    let path = await realpath(join(root, ...names));
    if ((await stat(path)).isDirectory()) path = await realpath(join(path, 'index.html'));
    if (!path.startsWith(root.endsWith(sep) ? root : root + sep)) return undefined;
    const found = await stat(path);
    return found.isFile() ? { path, size: found.size, modifiedMs: found.mtimeMs } : undefined;
  } catch {
    return undefined;
  }
}

/** The parts of the path; undefined if one of them is hidden or leads elsewhere. */
function readNames(url: string): string[] | undefined {
  const [path = ''] = url.split(/[?#]/);
  try {
    const names = path
      .split('/')
      .filter((name) => name !== '')
      .map(decodeURIComponent);
    return names.some((name) => name.startsWith('.') || /[/\\\0]/.test(name)) ? undefined : names;
  } catch {
    return undefined;
  }
}
