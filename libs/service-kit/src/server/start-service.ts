import 'reflect-metadata';
import { renameSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import type { Api } from '@keelson/contracts';
import type { DynamicModule, INestApplication, Type } from '@nestjs/common';
import { ModulesContainer, NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import { authorize, identify } from '../auth/authenticate.ts';
import { FileTokens } from '../auth/file-tokens.ts';
import type { CredentialVerifier } from '../auth/principal.ts';
import { serveIdentity } from '../auth/who-am-i.ts';
import type { Clock } from '../clock.ts';
import type { BaseConfig } from '../config/define-config.ts';
import { serveDocs } from '../docs/serve-docs.ts';
import type { IdempotencyStore } from '../idempotency/store.ts';
import { limitRate } from '../limits/rate-limit.ts';
import { limitTime } from '../limits/time-limit.ts';
import { endStreams } from '../live/server-sent-events.ts';
import { measureRequests } from '../observe/http-metrics.ts';
import { logger, setLogLevel } from '../observe/logger.ts';
import { collectProcessMetrics } from '../observe/metrics.ts';
import { nestLogs } from '../observe/nest-logs.ts';
import { traceRequests } from '../observe/request-trace.ts';
import { flushTraces, startTracing } from '../observe/tracing.ts';
import { OperationPipeline } from '../operation/pipeline.ts';
import { registerProblems } from '../problems/problem-table.ts';
import { ProblemFilter } from '../problems/problem-filter.ts';
import { CREDENTIAL_VERIFIER, IDEMPOTENCY_STORE } from '../tokens.ts';
import { ServiceAdapter } from './adapter.ts';
import { parseBodies } from './body-parsers.ts';
import { InFlight } from './drain.ts';
import { type Probes, serveHealth } from './health-routes.ts';
import { KitModule } from './kit-module.ts';
import { answerUnroutable } from './routing-faults.ts';
import { secureHeaders } from './secure-headers.ts';

const log = logger('service');

type OrFromApp<T> = T | ((app: INestApplication) => T);
type CloseHook = () => Promise<void> | void;

export interface ServiceOptions {
  readonly name: string;
  readonly version: string;
  /** From {@link loadConfig}. */
  readonly config: BaseConfig;
  readonly module: DynamicModule | Type;
  /** The contracts that the service's controllers fulfil. */
  readonly api: Api | readonly Api[];
  /** Checks of /readyz, by name; a function where they need something from the container. */
  readonly ready?: OrFromApp<Probes>;
  /** Run in this order at the end of the shutdown, after HTTP is drained and Nest's own hooks have run. */
  readonly close?: OrFromApp<readonly CloseHook[]>;
  readonly clock?: Clock;
}

export interface RunningService {
  readonly url: string;
  readonly app: NestFastifyApplication;
  /** Drains and closes; resolves with what had to be abandoned. Calling it again waits for the same end. */
  close(): Promise<readonly string[]>;
}

/** Starts a service as all of them are: see docs/service-kit.md for what it serves besides its operations. */
export async function startService(options: ServiceOptions): Promise<RunningService> {
  const { config } = options;
  const apis = [options.api].flat() as readonly Api[];
  for (const { problems } of apis) if (problems !== undefined) registerProblems(problems);
  setLogLevel(config.LOG_LEVEL);
  await startTracing({
    service: options.name,
    version: options.version,
    otlpEndpoint: config.OTEL_EXPORTER_OTLP_ENDPOINT,
  });
  collectProcessMetrics();

  const adapter = new ServiceAdapter({
    service: options.name,
    bodyLimitBytes: config.BODY_LIMIT_BYTES,
    requestTimeLimitMs: config.REQUEST_TIME_LIMIT_MS,
  });
  const server = adapter.getInstance<FastifyInstance>();
  const state = { probes: {} as Probes, draining: false };
  const inFlight = new InFlight(server);
  traceRequests(server, options.name);
  limitTime(server, config.REQUEST_TIME_LIMIT_MS);
  measureRequests(server);
  secureHeaders(server);
  answerUnroutable(server);
  parseBodies(server, apis);

  const app = await NestFactory.create<NestFastifyApplication>(
    KitModule.around(options.module, config, options.clock),
    adapter,
    { logger: nestLogs, bodyParser: false, abortOnError: false },
  );
  try {
    identify(server, provided<CredentialVerifier>(app, CREDENTIAL_VERIFIER) ?? (await fileTokens(config.TOKENS_FILE)));
    limitRate(server, config.RATE_LIMIT_PER_SECOND);
    authorize(server);
    app.useGlobalFilters(new ProblemFilter());
    app.useGlobalInterceptors(new OperationPipeline(provided<IdempotencyStore>(app, IDEMPOTENCY_STORE)));
    serveHealth(server, state);
    serveIdentity(server);
    serveDocs(server, apis);
    await app.init();
    checkOperations(server, apis);
    state.probes = (typeof options.ready === 'function' ? options.ready(app) : options.ready) ?? {};
    await app.listen(config.PORT, config.HOST);
  } catch (error) {
    await app.close();
    throw error;
  }

  const url = urlOf(server, config.HOST);
  log.info({ url, service: options.name, version: options.version, pid: process.pid }, 'listening');
  if (config.READY_FILE !== undefined) writeReadyFile(config.READY_FILE, url);

  const close = async (): Promise<readonly string[]> => {
    state.draining = true;
    const hooks = typeof options.close === 'function' ? options.close(app) : (options.close ?? []);
    if (config.DRAIN_DELAY_MS > 0) await wait(config.DRAIN_DELAY_MS);
    inFlight.beginDrain();
    server.server.close();
    server.server.closeIdleConnections();
    endStreams();
    const abandoned = await inFlight.finished(config.SHUTDOWN_GRACE_MS);
    server.server.closeAllConnections();
    if (abandoned.length > 0) log.warn({ abandoned }, 'requests were abandoned');
    await app.close();
    for (const hook of hooks) await hook();
    await flushTraces();
    return abandoned;
  };
  let closing: Promise<readonly string[]> | undefined;
  return { url, app, close: () => (closing ??= close()) };
}

/** An optional provider, wherever in the service it is. (Nest's own `get` logs an error where there is none.) */
function provided<T>(app: INestApplication, token: symbol): T | undefined {
  for (const module of app.get(ModulesContainer).values()) {
    const instance: unknown = module.providers.get(token)?.instance;
    if (instance !== undefined && instance !== null) return instance as T;
  }
  return undefined;
}

async function fileTokens(path: string | undefined): Promise<CredentialVerifier> {
  if (path !== undefined) return await FileTokens.open(path);
  log.warn('TOKENS_FILE is not set: every operation that needs a scope answers 401');
  return { verify: () => Promise.resolve(undefined) };
}

/** An operation of the contract that no controller fulfils is found here, not by the first client. */
function checkOperations(server: FastifyInstance, apis: readonly Api[]): void {
  const missing = apis.flatMap((api) =>
    Object.entries(api.endpoints)
      .filter(([, { method, path }]) => !server.hasRoute({ method, url: path.replaceAll(/\{([^}]+)\}/g, ':$1') }))
      .map(([name, { method, path }]) => `${name} (${method} ${path})`),
  );
  if (missing.length > 0) log.warn({ missing }, 'operations of the contract that nothing serves');
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
