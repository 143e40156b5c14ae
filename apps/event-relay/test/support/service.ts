import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Problem } from '@keelson/contracts';
import { loadConfig, setLogLevel, startService } from '@keelson/service-kit';
import { definition, partsOf } from '../../src/service.ts';

/** Tokens that every test service knows: operators, a team, one that may only read, Alertmanager's own. */
const tokens = [
  { name: 'operator', team: '*', scopes: ['*'], token: 'operator-token' },
  { name: 'red', team: 'red', scopes: ['events:read', 'events:write', 'events:replay'], token: 'red-token' },
  { name: 'blue-reader', team: 'blue', scopes: ['events:read'], token: 'reader-token' },
  { name: 'alertmanager', team: '*', scopes: ['events:write'], token: 'alertmanager-token' },
];

export interface Answer<Body> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Body & Problem;
}

export interface CallOptions {
  /** Null for none. */
  readonly token?: string | null;
  readonly json?: unknown;
}

export interface EventRelay {
  readonly url: string;
  /** As an operator unless another token is named. */
  call<Body = { items: never[]; next?: string }>(
    method: string,
    path: string,
    options?: CallOptions,
  ): Promise<Answer<Body>>;
  stop(): Promise<void>;
}

export interface EventRelayOptions {
  readonly databaseUrl: string;
  readonly amqpUrl: string;
  /** A rules document. */
  readonly rules?: string;
  readonly env?: Record<string, string>;
}

/** Starts the whole service over HTTP in this process, watching no cluster; several may share a database, as replicas do. */
export async function eventRelay(options: EventRelayOptions): Promise<EventRelay> {
  const folder = await mkdtemp(join(tmpdir(), 'keelson-events-'));
  try {
    const hashed = tokens.map(({ token, ...rest }) => ({
      ...rest,
      sha256: createHash('sha256').update(token).digest('hex'),
    }));
    await writeFile(join(folder, 'tokens.json'), JSON.stringify(hashed));
    if (options.rules !== undefined) await writeFile(join(folder, 'rules.yaml'), options.rules);
    const config = loadConfig(definition.config, {
      DATABASE_URL: options.databaseUrl,
      AMQP_URL: options.amqpUrl,
      TOKENS_FILE: join(folder, 'tokens.json'),
      EVENT_APIS: 'none',
      CLUSTER: 'test',
      LOG_LEVEL: process.env['KEELSON_TEST_LOG_LEVEL'] ?? 'silent',
      RATE_LIMIT_PER_SECOND: '0',
      ...(options.rules === undefined ? {} : { RULES_FILE: join(folder, 'rules.yaml') }),
      ...options.env,
    });
    setLogLevel(config.LOG_LEVEL);
    const { name, version, api } = definition;
    const running = await startService({ name, version, api, config, ...(await partsOf(config)) });
    return {
      url: running.url,
      call: (method, path, call) => request(running.url, method, path, call),
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
  { token = 'operator-token', json }: CallOptions = {},
): Promise<Answer<Body>> {
  const response = await fetch(url + path, {
    method,
    headers: {
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...(json === undefined ? {} : { 'content-type': 'application/json' }),
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

/** One alert as Alertmanager's webhook carries it. */
export const anAlert = (changes: object = {}, labels: Record<string, string> = {}) => ({
  status: 'firing',
  labels: { alertname: 'HighErrorRate', severity: 'critical', namespace: 'shop', ...labels },
  annotations: { summary: 'one in ten requests fails' },
  startsAt: '2026-03-01T12:00:00Z',
  endsAt: '0001-01-01T00:00:00Z',
  generatorURL: 'http://prometheus/graph',
  fingerprint: 'c0ffee',
  ...changes,
});

/** Alertmanager's webhook body, version 4, with the fields that we do not use. */
export const aWebhook = (alerts: readonly object[], changes: object = {}) => ({
  version: '4',
  groupKey: '{}:{alertname="HighErrorRate"}',
  truncatedAlerts: 0,
  status: 'firing',
  receiver: 'keelson',
  groupLabels: {},
  commonLabels: {},
  commonAnnotations: {},
  externalURL: 'http://alertmanager',
  alerts,
  ...changes,
});
