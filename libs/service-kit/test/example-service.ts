import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Controller, type DynamicModule, Module, type Provider } from '@nestjs/common';
import { defineApi } from '@keelson/contracts';
import { z } from 'zod';
import {
  CallerError,
  defineConfig,
  loadConfig,
  Operation,
  type OperationInput,
  type RunningService,
  type ServerSentEvent,
  type ServiceOptions,
  startService,
} from '../src/index.ts';
import type { StoredKeys } from './stored-keys.ts';

const bookSchema = z.object({ id: z.uuid(), title: z.string(), team: z.string(), pages: z.number().int() });
const id = z.object({ id: z.uuid() });

/** A contract with one operation of every kind that the kit treats differently. */
export const booksApi = defineApi({
  service: 'books',
  title: 'Books',
  version: '1.0.0',
  problems: { 'shelf-full': { status: 409, title: 'The shelf is full' } },
  endpoints: {
    addBook: {
      method: 'POST',
      path: '/v1/books',
      scope: 'orders:write',
      summary: 'Add a book',
      body: z.strictObject({
        title: z.string().min(1).max(20),
        pages: z.number().int().min(1).default(100),
        tags: z.array(z.strictObject({ name: z.string() })).default([]),
      }),
      response: bookSchema,
      status: 201,
      problems: ['shelf-full'],
      idempotent: true,
    },
    getBook: {
      method: 'GET',
      path: '/v1/books/{id}',
      scope: 'orders:read',
      summary: 'One book',
      params: id,
      response: bookSchema,
      status: 200,
      problems: ['not-found'],
    },
    listBooks: {
      method: 'GET',
      path: '/v1/books',
      scope: 'orders:read',
      summary: 'All books',
      query: z.object({ limit: z.coerce.number().int().min(1).max(10).default(5), mode: z.string().optional() }),
      response: z.object({ items: z.array(bookSchema) }),
      status: 200,
    },
    deleteBook: {
      method: 'DELETE',
      path: '/v1/books/{id}',
      scope: 'orders:write',
      summary: 'Remove a book',
      params: id,
      status: 204,
    },
    cover: {
      method: 'GET',
      path: '/v1/cover',
      scope: null,
      summary: 'Bytes',
      responseType: 'image/png',
      status: 200,
    },
    upload: {
      method: 'POST',
      path: '/v1/upload',
      scope: null,
      summary: 'Takes bytes',
      bodyType: 'application/pkcs10',
      response: z.object({ length: z.number() }),
      status: 200,
    },
    live: {
      method: 'GET',
      path: '/v1/live',
      scope: null,
      summary: 'Events as they come',
      responseType: 'text/event-stream',
      status: 200,
    },
  },
});

const { endpoints } = booksApi;
const secretOfOurs = 'the database password is hunter2';

/** Lets a test hold requests at work and see what the service was asked to do. */
export class Control {
  held: Array<() => void> = [];
  executed = 0;
  aborted = 0;
  liveEnded = 0;
  /** Where set, a new book and its answer are stored in one transaction. */
  store: StoredKeys | undefined;

  release(): void {
    for (const go of this.held.splice(0)) go();
  }

  hold(): Promise<void> {
    return new Promise((resolve) => this.held.push(resolve));
  }
}

@Controller()
class Books {
  constructor(private readonly control: Control) {}

  @Operation(endpoints.addBook)
  async add({ body, principal, setHeader, idempotency }: OperationInput<typeof endpoints.addBook>) {
    this.control.executed++;
    if (body.title === 'full') throw new CallerError('shelf-full', { detail: 'There is room for 3.' });
    if (body.title === 'crash') throw new Error(secretOfOurs);
    if (body.title === 'slow') await this.control.hold();
    const book = { id: '019a0000-0000-7000-8000-000000000001', title: body.title, pages: body.pages };
    const result = { ...book, team: principal.team, internal: 'not in the contract' };
    setHeader('location', `/v1/books/${book.id}`);
    await this.control.store?.transaction(async (tx) => {
      await tx.query('INSERT INTO books VALUES ($1)', [body.title]);
      await idempotency?.storeIn(tx, result);
      if (body.title === 'rolled back') throw new Error('the transaction failed at its end');
    });
    if (body.title === 'commit, then crash') throw new Error('after the commit');
    return result;
  }

  @Operation(endpoints.getBook)
  get({ params }: OperationInput<typeof endpoints.getBook>): never {
    throw new CallerError('not-found', { detail: `There is no book ${params.id}.` });
  }

  @Operation(endpoints.listBooks)
  async list({ query, signal }: OperationInput<typeof endpoints.listBooks>) {
    if (query.mode === 'slow') {
      signal.addEventListener('abort', () => this.control.aborted++);
      await this.control.hold();
    }
    if (query.mode === 'wrong') return { items: [{ id: 'not a uuid' } as never] };
    return { items: [] };
  }

  @Operation(endpoints.deleteBook)
  delete(_input: OperationInput<typeof endpoints.deleteBook>): void {}

  @Operation(endpoints.cover)
  cover(_input: OperationInput<typeof endpoints.cover>) {
    return Buffer.from([1, 2, 3]);
  }

  @Operation(endpoints.upload)
  upload({ body }: OperationInput<typeof endpoints.upload>) {
    return { length: body.length };
  }

  @Operation(endpoints.live)
  live({ headers }: OperationInput<typeof endpoints.live>): AsyncIterable<ServerSentEvent> {
    const { control } = this;
    const first = Number(headers['last-event-id'] ?? 0) + 1;
    return (async function* () {
      try {
        for (let at = first; at < first + 3; at++) yield { id: String(at), event: 'tick', data: { at } };
        await control.hold();
      } finally {
        control.liveEnded++;
      }
    })();
  }
}

@Module({})
class BooksModule {
  static with(control: Control, providers: Provider[]): DynamicModule {
    const tokens = providers.flatMap((provider) => ('provide' in provider ? [provider.provide] : []));
    return {
      module: BooksModule,
      controllers: [Books],
      providers: [{ provide: Control, useValue: control }, ...providers],
      exports: tokens,
    };
  }
}

export interface ExampleService extends RunningService {
  readonly control: Control;
  /** A token with all scopes of team `red`. */
  readonly token: string;
  readonly tokensFile: string;
  call(method: string, path: string, options?: CallOptions): Promise<Answer>;
  stop(): Promise<void>;
}

export interface CallOptions {
  readonly token?: string | null;
  readonly json?: unknown;
  readonly body?: string | Uint8Array<ArrayBuffer>;
  readonly headers?: Record<string, string>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // Tests look into answers freely.
  readonly json: Record<string, any>; // oxlint-disable-line typescript/no-explicit-any
}

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Starts the example over real HTTP; `environment` as in production. */
export async function exampleService(
  options: { environment?: Record<string, string>; providers?: Provider[] } & Partial<ServiceOptions> = {},
): Promise<ExampleService> {
  const folder = await mkdtemp(join(tmpdir(), 'keelson-kit-'));
  const token = randomBytes(16).toString('hex');
  const tokensFile = join(folder, 'tokens.json');
  await writeFile(
    tokensFile,
    JSON.stringify([
      { name: 'tester', team: 'red', scopes: ['*'], sha256: sha256(token) },
      { name: 'reader', team: 'blue', scopes: ['orders:read'], sha256: sha256('reader-token') },
    ]),
  );
  const control = new Control();
  const schema = defineConfig({ DATABASE_URL: z.string().optional(), AMQP_URL: z.string().optional() });
  const config = loadConfig(schema, { TOKENS_FILE: tokensFile, LOG_LEVEL: 'silent', ...options.environment });
  const service = await startService({
    name: 'books',
    version: '1.2.3',
    config,
    module: BooksModule.with(control, options.providers ?? []),
    api: booksApi,
    ready: options.ready,
    close: options.close,
  });
  return {
    ...service,
    control,
    token,
    tokensFile,
    call: (method, path, call) => request(service.url, token, method, path, call),
    stop: async () => {
      control.release();
      await service.close();
      await rm(folder, { recursive: true });
    },
  };
}

async function request(
  url: string,
  defaultToken: string,
  method: string,
  path: string,
  { token = defaultToken, json, body, headers = {} }: CallOptions = {},
): Promise<Answer> {
  const response = await fetch(url + path, {
    method,
    headers: {
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...(json === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    body: json === undefined ? body : JSON.stringify(json),
  });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json') === true && text !== '';
  return { status: response.status, headers: response.headers, text, json: isJson ? JSON.parse(text) : {} };
}
