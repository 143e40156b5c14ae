import { renameSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import rateLimit from '@fastify/rate-limit';
import { identityApi } from '@keelson/contracts';
import {
  answerProblem,
  answerUnroutable,
  CallerError,
  collectProcessMetrics,
  flushTraces,
  InFlight,
  logger,
  measureRequests,
  serveHealth,
  startTracing,
  traceRequests,
} from '@keelson/service-kit/plain';
import { type FastifyInstance, fastify } from 'fastify';
import { Agent } from 'undici';
import { apisOf, SERVICE_KEYS, SERVICES } from '../services.ts';
import { addressesOf, type Config } from './config.ts';
import { passOn } from './pass-on.ts';
import { secure, servePage } from './page.ts';
import { StatusReader } from './read-status.ts';

const log = logger('console');

export interface ConsoleOptions {
  readonly config: Config;
  readonly version: string;
  /** Folder of the built page. */
  readonly page: string;
}

export interface RunningConsole {
  readonly url: string;
  /** Drains and closes; resolves with what had to be abandoned. */
  close(): Promise<readonly string[]>;
}

/** Starts the server of the console: the page, the API of the four services under /api, and what operators look at. */
export async function startConsole({ config, version, page }: ConsoleOptions): Promise<RunningConsole> {
  await startTracing({ service: 'console', version, otlpEndpoint: config.OTEL_EXPORTER_OTLP_ENDPOINT });
  collectProcessMetrics();
  const server = fastify({
    logger: false,
    bodyLimit: config.BODY_LIMIT_BYTES,
    requestTimeout: config.REQUEST_TIME_LIMIT_MS,
    keepAliveTimeout: 72_000,
    return503OnClosing: false,
    trustProxy: config.TRUSTED_PROXIES.length > 0 ? config.TRUSTED_PROXIES : false,
    routerOptions: { maxParamLength: 512 },
    frameworkErrors: (error, request, reply) => answerProblem(error, request, reply),
  });
  const inFlight = new InFlight(server);
  const draining = new AbortController();
  const state = { probes: {}, draining: false };
  const dispatcher = new Agent({ connections: 64, keepAliveTimeout: 10_000 });
  traceRequests(server, 'console');
  measureRequests(server);
  server.setErrorHandler((error, request, reply) => answerProblem(error, request, reply));
  await secure(server);
  serveHealth(server, state);
  await server.register((api) => serveApi(api, { config, dispatcher, draining: draining.signal }), { prefix: '/api' });
  await servePage(server, page);
  await server.listen({ host: config.HOST, port: config.PORT });

  const url = urlOf(server, config.HOST);
  log.info({ url, service: 'console', version, pid: process.pid }, 'listening');
  if (config.READY_FILE !== undefined) writeReadyFile(config.READY_FILE, url);

  const close = async (): Promise<readonly string[]> => {
    state.draining = true;
    if (config.DRAIN_DELAY_MS > 0) await wait(config.DRAIN_DELAY_MS);
    inFlight.beginDrain();
    server.server.close();
    server.server.closeIdleConnections();
    draining.abort();
    const abandoned = await inFlight.finished(config.SHUTDOWN_GRACE_MS);
    server.server.closeAllConnections();
    if (abandoned.length > 0) log.warn({ abandoned }, 'requests were abandoned');
    await server.close();
    await dispatcher.destroy();
    await flushTraces();
    return abandoned;
  };
  let closing: Promise<readonly string[]> | undefined;
  return { url, close: () => (closing ??= close()) };
}

/** Everything below /api: the services' own operations, and the state of all four. */
async function serveApi(
  api: FastifyInstance,
  { config, dispatcher, draining }: { config: Config; dispatcher: Agent; draining: AbortSignal },
): Promise<void> {
  answerUnroutable(api, 'the contract of the service names its paths');
  if (config.RATE_LIMIT_PER_SECOND > 0) {
    await api.register(rateLimit, {
      max: config.RATE_LIMIT_PER_SECOND,
      timeWindow: 1_000,
      errorResponseBuilder: () =>
        new CallerError('rate-limited', {
          detail: `At most ${config.RATE_LIMIT_PER_SECOND} requests a second are allowed for each address.`,
          retryAfterSeconds: 1,
        }),
    });
  }
  // Bodies go on as they came; what is in them is for the service to judge.
  api.removeAllContentTypeParsers();
  api.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));

  const addresses = addressesOf(config);
  const status = new StatusReader(addresses, dispatcher);
  api.get('/status', async (_request, reply) => {
    reply.header('cache-control', 'no-store');
    return await status.read();
  });
  for (const key of SERVICE_KEYS) {
    const { service } = SERVICES[key];
    const endpoints = [...apisOf(key), identityApi].flatMap((contract) => Object.values(contract.endpoints));
    const to = { service, url: addresses[key], endpoints };
    await api.register(
      (scope, _options, done) => {
        passOn(scope, to, { dispatcher, limitMs: config.REQUEST_TIME_LIMIT_MS, draining });
        done();
      },
      { prefix: `/${key}` },
    );
  }
}

function urlOf(server: FastifyInstance, host: string): string {
  const { port } = server.server.address() as AddressInfo;
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host;
  return `http://${name}:${port}`;
}

/** Written aside and renamed, so that a reader never sees half of it. */
function writeReadyFile(path: string, url: string): void {
  writeFileSync(`${path}.new`, JSON.stringify({ url, pid: process.pid }));
  renameSync(`${path}.new`, path);
}
