import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Certificate, Problem } from '@keelson/contracts';
import { loadConfig, startService, type Clock } from '@keelson/service-kit';
import { definition, partsOf } from '../../src/service.ts';

/** A key-encryption key that several starts of one test can share. */
export const newKey = (): string => randomBytes(32).toString('base64');

/** Tokens that every test service knows: two teams, one that sees all, one that may only read. */
const tokens = [
  { name: 'red-builder', team: 'red', scopes: ['*'], token: 'red-token' },
  { name: 'blue-builder', team: 'blue', scopes: ['*'], token: 'blue-token' },
  { name: 'operator', team: '*', scopes: ['*'], token: 'operator-token' },
  { name: 'watcher', team: 'red', scopes: ['certificates:read'], token: 'reader-token' },
];

export interface Answer<Body> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Body & Problem;
}

export interface CertService {
  readonly url: string;
  /** As team red unless another token is named; null for none. */
  call<Body = Certificate>(method: string, path: string, options?: CallOptions): Promise<Answer<Body>>;
  bytes(path: string): Promise<Buffer>;
  stop(): Promise<void>;
}

export interface CallOptions {
  readonly token?: string | null;
  readonly json?: unknown;
  readonly headers?: Record<string, string>;
}

export interface CertServiceOptions {
  readonly databaseUrl: string;
  readonly amqpUrl: string;
  readonly env?: Record<string, string>;
  readonly clock?: Clock;
}

/** Starts the whole service over HTTP in this process; several may share a database, as replicas do. */
export async function certService(options: CertServiceOptions): Promise<CertService> {
  const folder = await mkdtemp(join(tmpdir(), 'keelson-cert-'));
  const tokensFile = join(folder, 'tokens.json');
  const hashed = tokens.map(({ token, ...rest }) => ({
    ...rest,
    sha256: createHash('sha256').update(token).digest('hex'),
  }));
  await writeFile(tokensFile, JSON.stringify(hashed));
  try {
    const config = loadConfig(definition.config, {
      DATABASE_URL: options.databaseUrl,
      AMQP_URL: options.amqpUrl,
      TOKENS_FILE: tokensFile,
      LOG_LEVEL: process.env['KEELSON_TEST_LOG_LEVEL'] ?? 'silent',
      KEY_ENCRYPTION_KEY: options.env?.['KEY_ENCRYPTION_PASSPHRASE'] === undefined ? newKey() : undefined,
      RATE_LIMIT_PER_SECOND: '0',
      ...options.env,
    });
    const parts = await partsOf(config, options.clock);
    const { name, version, api } = definition;
    const running = await startService({ name, version, api, config, ...parts });
    return {
      url: running.url,
      call: (method, path, call) => request(running.url, method, path, call),
      bytes: async (path) => Buffer.from(await (await fetch(running.url + path)).arrayBuffer()),
      stop: async () => {
        await running.close();
        await rm(folder, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

async function request<Body>(
  url: string,
  method: string,
  path: string,
  { token = 'red-token', json, headers = {} }: CallOptions = {},
): Promise<Answer<Body>> {
  const response = await fetch(url + path, {
    method,
    headers: {
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...(json === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(json === undefined ? {} : { body: JSON.stringify(json) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: (text === '' ? {} : JSON.parse(text)) as Answer<Body>['body'],
  };
}
