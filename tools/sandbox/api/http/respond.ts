import type { ServerResponse } from 'node:http';

import type { Json } from '../json.ts';
import { ApiError } from './status.ts';

const written = new WeakMap<object, string>();

/** An object as JSON. Stored objects never change, so each is written once however often it is listed or watched. */
export function jsonOf(object: object): string {
  let text = written.get(object);
  if (text === undefined) written.set(object, (text = JSON.stringify(object)));
  return text;
}

export function send(res: ServerResponse, code: number, body: string, type = 'application/json'): void {
  res.writeHead(code, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-cache, private',
  });
  res.end(body);
}

export const sendJson = (res: ServerResponse, code: number, body: Json, type?: string): void =>
  send(res, code, `${JSON.stringify(body)}\n`, type);

/** Adds warnings for the client, in RFC 7234's form. */
export function addWarnings(res: ServerResponse, texts: readonly string[]): void {
  if (texts.length === 0) return;
  res.setHeader(
    'warning',
    [...new Set(texts)].map((text) => `299 - "${text.replace(/[\\"]/g, '\\$&')}"`),
  );
}

/** Answers with the Status of an ApiError, or with a 500 whose cause goes to `log`. */
export function sendError(res: ServerResponse, error: unknown, log: (text: string) => void): void {
  if (res.headersSent) {
    res.destroy();
    return;
  }
  let known: ApiError;
  if (error instanceof ApiError) known = error;
  else {
    log(`internal error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    known = new ApiError(
      500,
      'InternalError',
      `Internal error occurred: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  const retry = known.status['details']?.retryAfterSeconds;
  if (retry) res.setHeader('retry-after', String(retry));
  sendJson(res, known.code, known.status);
}
