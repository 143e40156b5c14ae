import {
  canariesApi,
  type Api,
  catalogue,
  defineApi,
  defineMessage,
  defineRequest,
  type MessageDefinition,
  pageOf,
} from '@keelson/contracts';
import { asyncApiDocument, openApiDocument } from '@keelson/contracts/documents';
import { z } from 'zod';
import { compareAsyncApi } from './asyncapi.ts';
import { compareOpenApi } from './openapi.ts';
import type { Change } from './change.ts';

// The contract of a library of books, and the ways in which its next version may differ.
const shape = {
  id: z.uuid(),
  title: z.string(),
  state: z.enum(['in', 'out']),
  pages: z.number().int(),
  note: z.string().optional(),
};
const bookSchema = z.object(shape).meta({ id: 'Book' });
const addSchema = z.strictObject({ title: z.string().min(1).max(100), pages: z.number().int().optional() });

type Endpoints = Parameters<typeof defineApi>[0]['endpoints'];

const endpoints = (
  parts: {
    book?: z.ZodType;
    add?: z.ZodType;
    query?: z.ZodType;
    listStatus?: number;
    scope?: 'orders:read' | null;
  } = {},
): Endpoints => ({
  listBooks: {
    method: 'GET',
    path: '/v1/books',
    scope: parts.scope === undefined ? null : parts.scope,
    summary: 'List',
    query: parts.query ?? z.object({ state: z.enum(['in', 'out']).optional() }),
    response: pageOf(parts.book ?? bookSchema),
    status: parts.listStatus ?? 200,
  },
  addBook: {
    method: 'POST',
    path: '/v1/books',
    scope: 'orders:write',
    summary: 'Add',
    body: parts.add ?? addSchema,
    response: parts.book ?? bookSchema,
    status: 201,
  },
});

const api = (of: Endpoints): Api => ({ service: 'books', title: 'Books', version: '1.0.0', endpoints: of });
const published = (of: Endpoints): never => JSON.parse(JSON.stringify(openApiDocument(api(of)))) as never;
const compare = (next: Endpoints): readonly Change[] => compareOpenApi(published(endpoints()), published(next));

const { addBook: _, ...withoutAdd } = endpoints();
const { note: __, ...withoutNote } = shape;
const book = (changed: Partial<Record<keyof typeof shape, z.ZodType>>) =>
  z.object({ ...shape, ...changed }).meta({ id: 'Book' });

const breakingCases: [string, Endpoints, string][] = [
  ['an operation that is gone', withoutAdd, 'POST /v1/books: the operation was removed'],
  [
    'a field that is gone from the response',
    endpoints({ book: z.object(withoutNote) }),
    'response.items[].note: was removed',
  ],
  [
    'a field that may be missing now',
    endpoints({ book: book({ title: z.string().optional() }) }),
    '.title: may be missing now',
  ],
  [
    'another type in the response',
    endpoints({ book: book({ pages: z.string() }) }),
    '.pages: type was integer, is string',
  ],
  [
    'a number that was an integer',
    endpoints({ book: book({ pages: z.number() }) }),
    '.pages: type was integer, is number',
  ],
  ['null where there was none', endpoints({ book: book({ title: z.string().nullable() }) }), '.title: type was string'],
  [
    'a value that is gone from the response',
    endpoints({ book: book({ state: z.enum(['in']) }) }),
    '.state: value "out" was removed',
  ],
  [
    'free text in place of values',
    endpoints({ book: book({ state: z.string() }) }),
    '.state: was one of "in", "out", may be anything now',
  ],
  [
    'a new field that must be sent',
    endpoints({ add: addSchema.extend({ isbn: z.string() }) }),
    'body.isbn: is new and required',
  ],
  ['a field that must be sent now', endpoints({ add: addSchema.required() }), 'body.pages: is required now'],
  ['a field that is not read any more', endpoints({ add: addSchema.omit({ pages: true }) }), 'body.pages: was removed'],
  [
    'another type in the request',
    endpoints({ add: addSchema.extend({ title: z.number() }) }),
    'body.title: type was string, is number',
  ],
  [
    'a tighter limit',
    endpoints({ add: addSchema.extend({ title: z.string().min(1).max(50) }) }),
    'body.title: maxLength was 100, is 50',
  ],
  [
    'a new pattern',
    endpoints({ add: addSchema.extend({ title: z.string().min(1).max(100).regex(/^a/) }) }),
    'body.title: pattern was not set',
  ],
  ['a parameter that is gone', endpoints({ query: z.object({}) }), 'query parameter state: was removed'],
  [
    'a parameter that is needed now',
    endpoints({ query: z.object({ state: z.enum(['in', 'out']) }) }),
    'query parameter state: is required now',
  ],
  [
    'a value that may not be asked for any more',
    endpoints({ query: z.object({ state: z.enum(['in']).optional() }) }),
    'value "out" was removed',
  ],
  ['another status of success', endpoints({ listStatus: 206 }), 'GET /v1/books: answered 200, answers 206 now'],
  ['a scope that is needed now', endpoints({ scope: 'orders:read' }), 'GET /v1/books: needs the scope orders:read now'],
];

test.each(breakingCases)('%s breaks the contract', (_name, next, says) => {
  const found = compare(next).filter(({ kind }) => kind === 'breaking');
  expect(found.map(({ where, what }) => `${where}: ${what}`)).toContainEqual(expect.stringContaining(says));
});

const harmlessCases: [string, Endpoints][] = [
  ['nothing', endpoints()],
  [
    'an operation',
    { ...endpoints(), getStats: { method: 'GET', path: '/v1/stats', scope: null, summary: 'New', status: 204 } },
  ],
  ['a field in the response', endpoints({ book: z.object({ ...shape, isbn: z.string() }).meta({ id: 'Book' }) })],
  ['a field that may be sent', endpoints({ add: addSchema.extend({ isbn: z.string().optional() }) })],
  ['a field with a default', endpoints({ add: addSchema.extend({ copies: z.number().default(1) }) })],
  ['a wider limit', endpoints({ add: addSchema.extend({ title: z.string().max(1000) }) })],
  ['a value that may be sent', endpoints({ query: z.object({ state: z.enum(['in', 'out', 'lost']).optional() }) })],
  [
    'a parameter',
    endpoints({ query: z.object({ state: z.enum(['in', 'out']).optional(), limit: z.coerce.number().optional() }) }),
  ],
  ['certainty that a field is there', endpoints({ book: book({ note: z.string() }) })],
  ['the name of a schema', endpoints({ book: z.object(shape).meta({ id: 'Volume' }) })],
];

test.each(harmlessCases)('%s may be added', (_name, next) => {
  expect(compare(next)).toEqual([]);
});

test('a new value in a response is allowed, but said', () => {
  expect(compare(endpoints({ book: book({ state: z.enum(['in', 'out', 'lost']) }) }))).toContainEqual({
    kind: 'notice',
    where: 'POST /v1/books response.state',
    what: 'value "lost" is new: clients that know all values refuse it',
  });
});

test('a schema that contains itself is compared to its end', () => {
  interface Tree {
    readonly children: Tree[];
  }
  const tree = (leaf: z.ZodType): z.ZodType<Tree> => {
    const schema: z.ZodType<Tree> = z
      .object({ leaf, children: z.array(z.lazy(() => schema)) })
      .meta({ id: `Tree${leaf.type}` });
    return schema;
  };
  const base = published(endpoints({ book: tree(z.string()) }));
  const next = published(endpoints({ book: tree(z.number()) }));
  expect(compareOpenApi(base, base)).toEqual([]);
  expect(compareOpenApi(base, next).map(({ what }) => what)).toContain('type was string, is number');
});

describe('messages', () => {
  const lent = (schema: z.ZodType, version = 1) =>
    defineMessage({ name: 'book.lent', version, producer: 'books', summary: 'Lent', schema });
  const document = (...messages: MessageDefinition[]): never =>
    JSON.parse(
      JSON.stringify(asyncApiDocument(Object.fromEntries(messages.map((one) => [one.routingKey, one])))),
    ) as never;
  const before = lent(bookSchema);

  test.each([
    ['a message that is gone', document(lent(bookSchema, 2)), 'message book.lent.v1: was removed'],
    ['a field that is gone', document(lent(z.object(withoutNote))), 'message book.lent.v1.note: was removed'],
    [
      'another type',
      document(lent(book({ pages: z.string() }))),
      'message book.lent.v1.pages: type was integer, is string',
    ],
  ])('%s breaks consumers', (_name, next, says) => {
    expect(compareAsyncApi(document(before), next).map(({ where, what }) => `${where}: ${what}`)).toContain(says);
  });

  const asked = (schema: z.ZodType, reply: z.ZodType = z.object({ left: z.number() })) =>
    defineRequest({ name: 'book.asked', version: 1, producer: 'books', summary: 'Is it there?', schema, reply });
  const title = z.object({ title: z.string() });

  test.each([
    [
      'a new field that has to be asked with',
      asked(z.object({ title: z.string(), shelf: z.string() })),
      'message book.asked.v1.shelf: is new and required',
    ],
    ['a field that the reply lacks', asked(title, z.object({})), 'message book.asked.v1.reply.left: was removed'],
  ])('%s breaks who asks', (_name, next, says) => {
    const found = compareAsyncApi(document(asked(title)), document(next));
    expect(found.map(({ where, what }) => `${where}: ${what}`)).toEqual([says]);
  });

  test('a request may be asked with more that can be left out, and answered with more', () => {
    const next = asked(
      title.extend({ shelf: z.string().default('any') }),
      z.object({ left: z.number(), at: z.string() }),
    );
    expect(compareAsyncApi(document(asked(title)), document(next))).toEqual([]);
  });

  test('a new message, a new version beside the old one and a new field are allowed', () => {
    const wider = lent(z.object({ ...shape, shelf: z.string() }));
    expect(compareAsyncApi(document(before), document(wider, lent(z.object({}), 2)))).toEqual([]);
  });
});

test('the platform is compatible with itself', () => {
  const openApi = JSON.parse(JSON.stringify(openApiDocument(canariesApi))) as never;
  const asyncApi = JSON.parse(JSON.stringify(asyncApiDocument(catalogue))) as never;
  expect([...compareOpenApi(openApi, openApi), ...compareAsyncApi(asyncApi, asyncApi)]).toEqual([]);
});
