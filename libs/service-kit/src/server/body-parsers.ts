import type { FastifyInstance } from 'fastify';
import type { Api } from '@keelson/contracts';
import { CallerError } from '../problems/caller-error.ts';
import { jsonFault } from '../problems/json-fault.ts';

/** JSON for all, and whatever other media types the operations name, as bytes. Everything else is 415. */
export function parseBodies(server: FastifyInstance, apis: readonly Api[]): void {
  server.removeAllContentTypeParsers();
  server.addContentTypeParser<Buffer>('application/json', { parseAs: 'buffer' }, (_request, body, done) => {
    try {
      done(null, parseJson(body));
    } catch (error) {
      done(error as Error);
    }
  });
  const others = new Set(apis.flatMap((api) => Object.values(api.endpoints).flatMap(({ bodyType }) => bodyType ?? [])));
  others.delete('application/json');
  for (const type of others) {
    server.addContentTypeParser<Buffer>(type, { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  }
}

/** `__proto__` as a key has no honest use and has broken many a program that copies objects. */
const POISON =
  /"(?:_|\\u005f){2}(?:p|\\u0070)(?:r|\\u0072)(?:o|\\u006f)(?:t|\\u0074)(?:o|\\u006f)(?:_|\\u005f){2}"\s*:/i;

function parseJson(body: Buffer): unknown {
  if (body.length === 0) return undefined;
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    throw new CallerError('malformed-json', { detail: 'The body is not valid UTF-8.' });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw malformed(text);
  }
  if (POISON.test(text)) throw new CallerError('malformed-json', { detail: 'The key "__proto__" is not allowed.' });
  return value;
}

function malformed(text: string): CallerError {
  const at = jsonFault(text) ?? 0;
  const byte = Buffer.byteLength(text.slice(0, at));
  const what = at >= text.length ? 'it ends too early' : `unexpected ${JSON.stringify(text[at])}`;
  return new CallerError('malformed-json', { detail: `At byte ${byte}: ${what}.` });
}
