import type { FastifyInstance } from 'fastify';
import type { Api, Endpoint } from '@keelson/contracts';
import { endpointOf } from '../operation/route.ts';
import { CallerError } from '../problems/caller-error.ts';
import { jsonFault } from '../problems/json-fault.ts';

const mediaTypeOf = (endpoint: Endpoint): string => endpoint.bodyType ?? 'application/json';

/**
 * Reads bodies in the media types that the operations name: JSON and its kin (`...+json`) as values, all else as bytes.
 * A type that another operation reads, but not this one, is 415 as well.
 */
export function parseBodies(server: FastifyInstance, apis: readonly Api[]): void {
  server.removeAllContentTypeParsers();
  const types = new Set(apis.flatMap((api) => Object.values(api.endpoints).map(mediaTypeOf)));
  for (const type of types.add('application/json')) {
    const isJson = type === 'application/json' || type.endsWith('+json');
    server.addContentTypeParser<Buffer>(type, { parseAs: 'buffer' }, (_request, body, done) => {
      try {
        done(null, isJson ? parseJson(body) : body);
      } catch (error) {
        done(error as Error);
      }
    });
  }
  server.addHook('onRequest', (request, _reply, done) => {
    const { headers } = request;
    const length = headers['content-length'] ?? '0';
    // `curl -d ''` names a type for nothing.
    if (length === '0' && headers['transfer-encoding'] === undefined) delete headers['content-type'];
    done();
  });
  server.addHook('preParsing', (request, _reply, payload, done) => {
    const endpoint = endpointOf(request);
    const given = request.headers['content-type']?.split(';', 1)[0]!.trim().toLowerCase();
    if (endpoint === undefined || given === undefined || given === mediaTypeOf(endpoint)) done(null, payload);
    else done(unsupported(mediaTypeOf(endpoint)));
  });
}

const unsupported = (wanted: string): CallerError =>
  new CallerError('unsupported-media-type', { detail: `Send "content-type: ${wanted}".` });

/** `__proto__` as a key has no honest use and has broken many a program that copies objects. */
const POISON =
  /"(?:_|\\u005f){2}(?:p|\\u0070)(?:r|\\u0072)(?:o|\\u006f)(?:t|\\u0074)(?:o|\\u006f)(?:_|\\u005f){2}"\s*:/i;

/** RFC 8259, section 9, lets a parser limit the depth. Whatever walks through the value later, our own code too, recurses. */
const MAX_DEPTH = 100;

/** Whether brackets outside of strings nest deeper, in a text that may or may not be JSON. */
function isDeeperThan(limit: number, text: string): boolean {
  if (text.length <= limit) return false;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text.charCodeAt(at);
    if (character === QUOTE) {
      for (at++; at < text.length && text.charCodeAt(at) !== QUOTE; at++) if (text.charCodeAt(at) === BACKSLASH) at++;
    } else if (character === OPEN_LIST || character === OPEN_OBJECT) {
      if ((depth += 1) > limit) return true;
    } else if (character === CLOSE_LIST || character === CLOSE_OBJECT) depth -= 1;
  }
  return false;
}

const [QUOTE, BACKSLASH] = [0x22, 0x5c];
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];

function parseJson(body: Buffer): unknown {
  if (body.length === 0) return undefined;
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    throw new CallerError('malformed-json', { detail: 'The body is not valid UTF-8.' });
  }
  if (isDeeperThan(MAX_DEPTH, text)) {
    throw new CallerError('malformed-json', { detail: `Lists and objects may be nested at most ${MAX_DEPTH} deep.` });
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
