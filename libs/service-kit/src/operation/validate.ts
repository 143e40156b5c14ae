import type { Endpoint, Problem } from '@keelson/contracts';
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { CallerError } from '../problems/caller-error.ts';

type Errors = NonNullable<Problem['errors']>;

export interface ValidRequest {
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
}

/** At most this many faults are listed: the first ones are what helps. */
const LISTED = 50;

/**
 * Holds a request against its operation.
 *
 * @throws CallerError `invalid-request` with every fault and its pointer.
 */
export function validateRequest(endpoint: Endpoint, request: FastifyRequest): ValidRequest {
  const errors: Errors = [];
  const params = check(endpoint.params, request.params ?? {}, 'path/', errors);
  const query = check(endpoint.query, request.query ?? {}, 'query/', errors);
  refuseUnknownQuery(endpoint, request, errors);
  refuseNul(request.params, 'path/', errors);
  refuseNul(request.query, 'query/', errors);
  const body =
    endpoint.body === undefined ? rawBody(endpoint, request) : checkBody(endpoint.body, request.body, errors);
  if (errors.length > 0) {
    const more = errors.length > LISTED ? ` (the first ${LISTED} are listed)` : '';
    throw new CallerError('invalid-request', {
      detail: `${errors.length} ${errors.length === 1 ? 'fault' : 'faults'}${more}: ${errors[0]!.pointer || 'the body'} ${errors[0]!.detail}`,
      errors: errors.slice(0, LISTED),
    });
  }
  return { params, query, body };
}

const rawBody = (endpoint: Endpoint, request: FastifyRequest): unknown =>
  endpoint.bodyType === undefined ? undefined : (request.body ?? Buffer.alloc(0));

function checkBody(schema: z.ZodType, body: unknown, errors: Errors): unknown {
  // A body whose every field has a default may be left out.
  return check(schema, body === undefined && schema.safeParse({}).success ? {} : body, '/', errors);
}

/** A misspelt filter that is ignored lists everything; better to say so. */
function refuseUnknownQuery(endpoint: Endpoint, request: FastifyRequest, errors: Errors): void {
  const shape = (endpoint.query as { shape?: Record<string, unknown> } | undefined)?.shape ?? {};
  for (const name of Object.keys(request.query ?? {})) {
    if (name in shape) continue;
    const known = Object.keys(shape);
    errors.push({
      pointer: `query/${name}`,
      detail:
        known.length === 0 ? 'is unknown; there are no parameters here' : `is unknown; allowed: ${known.join(', ')}`,
    });
  }
}

/** U+0000 (`%00`) is in nothing that a service stores: PostgreSQL's text cannot hold it, and a search for it would fail. */
function refuseNul(given: unknown, prefix: string, errors: Errors): void {
  for (const [name, value] of Object.entries(given ?? {}))
    if (typeof value === 'string' && value.includes('\0'))
      errors.push({ pointer: pointer([name], prefix), detail: 'has the character U+0000, which nothing here has' });
}

function check(schema: z.ZodType | undefined, value: unknown, prefix: string, errors: Errors): unknown {
  if (schema === undefined) return {};
  const result = schema.safeParse(value, { reportInput: false });
  if (result.success) return result.data;
  for (const issue of result.error.issues) errors.push(...describe(issue, value, prefix));
  return undefined;
}

function describe(issue: z.core.$ZodIssue, value: unknown, prefix: string): Errors {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ pointer: pointer([...issue.path, key], prefix), detail: 'is unknown' }));
  }
  const given = valueAt(value, issue.path);
  const shown = given === undefined ? 'is missing' : `is ${abbreviated(given)}`;
  return [{ pointer: pointer(issue.path, prefix), detail: `${shown}; ${allowed(issue)}` }];
}

function allowed(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_value') return `allowed: ${issue.values.map(String).join(', ')}`;
  if (issue.code === 'invalid_type') return `must be ${issue.expected === 'int' ? 'integer' : issue.expected}`;
  return issue.message;
}

/** RFC 6901, section 3; `path/` and `query/` stand before names that are not in the body. */
function pointer(path: readonly PropertyKey[], prefix: string): string {
  const parts = path.map((part) => String(part).replaceAll('~', '~0').replaceAll('/', '~1'));
  return parts.length === 0 && prefix === '/' ? '' : prefix + parts.join('/');
}

function abbreviated(value: unknown): string {
  const text =
    typeof value === 'object' && value !== null
      ? Array.isArray(value)
        ? 'a list'
        : 'an object'
      : JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let at = value;
  for (const part of path) {
    if (at === null || typeof at !== 'object') return undefined;
    at = (at as Record<PropertyKey, unknown>)[part];
  }
  return at;
}
