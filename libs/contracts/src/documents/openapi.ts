import type { Api, Endpoint } from '../http/endpoint.ts';
import { problemSchema } from '../http/problem.ts';
import { generalProblems, type ProblemTable } from '../http/problem-table.ts';
import { SchemaCollector, type JsonSchema } from './json-schema.ts';

export type OpenApiDocument = Record<string, unknown> & {
  readonly paths: Record<string, Record<string, Record<string, unknown>>>;
};

/** The OpenAPI 3.1 document of a service, made from the same tables that its controllers and clients use. */
export function openApiDocument(api: Api): OpenApiDocument {
  const schemas = new SchemaCollector('#/components/schemas/');
  const problem = schemas.output(problemSchema);
  const entries = Object.entries(api.endpoints);
  // All that comes out first: see SchemaCollector.
  const responses = new Map(
    entries.map(([name, { response }]) => [name, response === undefined ? undefined : schemas.output(response)]),
  );
  const table: ProblemTable = { ...generalProblems, ...api.problems };
  const paths: OpenApiDocument['paths'] = {};
  for (const [name, endpoint] of entries) {
    const operation = {
      operationId: name,
      summary: endpoint.summary,
      // OpenAPI 3.1 allows roles here for other schemes than OAuth as well.
      security: endpoint.scope === null ? [] : [{ token: [endpoint.scope] }],
      ...listIfAny('parameters', parameters(endpoint, schemas)),
      ...requestBody(endpoint, schemas),
      responses: {
        [String(endpoint.status)]: success(endpoint, responses.get(name)),
        ...problems(endpoint, table),
      },
    };
    (paths[endpoint.path] ??= {})[endpoint.method.toLowerCase()] = operation;
  }
  return {
    openapi: '3.1.0',
    info: { title: api.title, version: api.version, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    paths,
    components: {
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'API token with a team and scopes' },
      },
      responses: {
        Problem: {
          description: 'Problem details (RFC 9457); `code` is stable, each has a page at its `type`',
          content: { 'application/problem+json': { schema: problem } },
        },
      },
      schemas: schemas.components(),
    },
  };
}

const listIfAny = (name: string, list: readonly unknown[]): object => (list.length === 0 ? {} : { [name]: list });

function parameters(endpoint: Endpoint, schemas: SchemaCollector): object[] {
  const found: object[] = [];
  for (const [place, part] of [
    ['path', endpoint.params],
    ['query', endpoint.query],
  ] as const) {
    if (part === undefined) continue;
    const { properties = {}, required = [] } = schemas.input(part) as {
      properties?: Record<string, JsonSchema>;
      required?: string[];
    };
    for (const [name, { description, ...schema }] of Object.entries(properties)) {
      found.push({
        name,
        in: place,
        required: place === 'path' || required.includes(name),
        ...(description === undefined ? {} : { description }),
        schema,
      });
    }
  }
  if (endpoint.idempotent === true) {
    found.push({
      name: 'Idempotency-Key',
      in: 'header',
      required: endpoint.problems?.includes('idempotency-key-missing') === true,
      description: 'Chosen by the client; the first answer to a key is kept for a day and given again',
      schema: { type: 'string', minLength: 1, maxLength: 255 },
    });
  }
  return found;
}

function requestBody(endpoint: Endpoint, schemas: SchemaCollector): object {
  if (endpoint.body === undefined && endpoint.bodyType === undefined) return {};
  const schema = endpoint.body === undefined ? {} : { schema: schemas.input(endpoint.body) };
  const optional = endpoint.body?.safeParse({}).success === true;
  return { requestBody: { required: !optional, content: { [endpoint.bodyType ?? 'application/json']: schema } } };
}

function success(endpoint: Endpoint, schema: JsonSchema | undefined): object {
  const replayed = {
    'Idempotent-Replayed': { description: '`true` on a repeated answer', schema: { type: 'string' } },
  };
  const content =
    schema === undefined && endpoint.responseType === undefined
      ? {}
      : { content: { [endpoint.responseType ?? 'application/json']: schema === undefined ? {} : { schema } } };
  return {
    description: endpoint.status === 202 ? 'Accepted' : endpoint.status === 201 ? 'Created' : 'Done',
    ...(endpoint.idempotent === true ? { headers: replayed } : {}),
    ...content,
  };
}

/** Which problems an operation answers, grouped by status; the codes stand in the description. */
function problems(endpoint: Endpoint, table: ProblemTable): Record<string, object> {
  const takesInput = endpoint.params !== undefined || endpoint.query !== undefined || endpoint.body !== undefined;
  const codes = new Set([
    ...(endpoint.scope === null ? [] : ['unauthenticated', 'scope-missing']),
    ...(takesInput ? ['invalid-request'] : []),
    ...(endpoint.body === undefined ? [] : ['malformed-json', 'body-too-large', 'unsupported-media-type']),
    ...(endpoint.idempotent === true ? ['idempotency-key-in-progress', 'idempotency-key-reused'] : []),
    'rate-limited',
    'internal',
    'unavailable',
    'timed-out',
    ...(endpoint.problems ?? []),
  ]);
  const byStatus = new Map<number, string[]>();
  for (const code of codes) {
    const kind = table[code];
    if (kind === undefined) throw new Error(`${endpoint.method} ${endpoint.path} names the unknown problem "${code}"`);
    byStatus.set(kind.status, [...(byStatus.get(kind.status) ?? []), code]);
  }
  return Object.fromEntries(
    [...byStatus].map(([status, ofStatus]) => [
      String(status),
      { $ref: '#/components/responses/Problem', description: ofStatus.map((code) => `\`${code}\``).join(', ') },
    ]),
  );
}
