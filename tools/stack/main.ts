// npm start: the whole platform on this machine, and its main story. `npm start -- --help` says what it can be told.
import { certificatesApi, createClient } from '@keelson/contracts';
import {
  buildProjects,
  ensurePart,
  eventually,
  freePorts,
  PartError,
  privateFolder,
  removePrivateFolder,
  startPaymentProvider,
  startPostgres,
  startPrometheus,
  startRabbitMq,
  sweepLeftovers,
  telegramStandIn,
} from '@keelson/testing';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Agent, fetch as undiciFetch } from 'undici';
import { apply, deploymentReady, ensureNamespace } from './cluster/apply.ts';
import { startCluster, startGateway, startNode } from './cluster/cluster.ts';
import {
  HOST,
  NAMESPACE,
  sharedManifests,
  TLS_SECRET,
  versionManifests,
  versionName,
} from './cluster/order-demo.manifests.ts';
import { PodTargets } from './cluster/pod-targets.ts';
import { prometheusConfig } from './cluster/prometheus-config.ts';
import { serviceAccounts } from './cluster/service-accounts.ts';
import { startConsole } from './services/console.ts';
import { makeCredentials } from './credentials.ts';
import { writeEnvFile } from './env-file.ts';
import { HELP, parseOptions, UsageError, type StackOptions } from './options.ts';
import { DATABASES, type DatabaseName, type Platform } from './platform.ts';
import { Progress } from './progress.ts';
import { residentMemory } from './services/memory.ts';
import { NODE_FLAGS, SERVICE_NAMES, serviceUrl, startService, type ServiceName } from './services/services.ts';
import { Customers } from './story/customers.ts';
import { playRelease } from './story/release.ts';

const root = join(import.meta.dirname, '../..');
const progress = new Progress();
const interrupted = new AbortController();
/** What was started, to be stopped in the opposite order. */
const running: { name: string; stop(): Promise<unknown> }[] = [];

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    if (interrupted.signal.aborted) return;
    interrupted.abort(new Error(signal));
  });
}
// The terminal went away: writing fails, and nobody is left to be told.
process.stdout.on('error', () => interrupted.abort(new Error('the terminal went away')));

process.exitCode = await main();

async function main(): Promise<number> {
  let options: StackOptions | 'help';
  try {
    options = parseOptions(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`${error.message}\nnpm start -- --help lists the options\n`);
    return 2;
  }
  if (options === 'help') {
    process.stdout.write(HELP);
    return 0;
  }
  const runFolder = privateFolder('stack');
  try {
    return await run(options, runFolder);
  } catch (error) {
    if (interrupted.signal.aborted) return 130;
    progress.line();
    progress.line(
      error instanceof PartError
        ? error.message
        : error instanceof Error
          ? (error.stack ?? error.message)
          : String(error),
    );
    return 1;
  } finally {
    await stopAll();
    removePrivateFolder(runFolder);
    sweepLeftovers();
  }
}

async function run(options: StackOptions, runFolder: string): Promise<number> {
  const started = performance.now();
  const platform = await startPlatform(options, runFolder);
  interrupted.signal.throwIfAborted();
  progress.line();
  progress.good(`ready in ${((performance.now() - started) / 1000).toFixed(1)} s`);
  progress.say(residentMemory(platform.services));
  const envFile = options.envFile ?? join(runFolder, 'env');
  writeEnvFile(envFile, platform);
  progress.say(`every URL and credential: ${envFile}`);
  let good = true;
  if (options.story === 'release') good = (await playRelease(platform, interrupted.signal)).good;
  progress.line();
  if (options.once) return good ? 0 : 1;
  showAccess(platform, envFile);
  if (!interrupted.signal.aborted) {
    await new Promise((resolve) => interrupted.signal.addEventListener('abort', resolve, { once: true }));
  }
  return good ? 0 : 1;
}

async function startPlatform(options: StackOptions, runFolder: string): Promise<Platform> {
  const dataFolder = options.keepData ? join(root, '.keelson') : join(runFolder, 'data');
  mkdirSync(dataFolder, { recursive: true, mode: 0o700 });
  const credentials = makeCredentials(runFolder, dataFolder);
  const external = { amqp: process.env['AMQP_URL'], postgres: process.env['KEELSON_POSTGRES_URL'] };

  await ensureParts(options, external.amqp !== undefined);
  const [, postgres, rabbit, cluster, telegram, payments] = await together([
    progress.step(
      'build',
      () => buildProjects(root, { signal: interrupted.signal }),
      () => 'services, console and CLI are built',
    ),
    startDatabases(options, dataFolder, external.postgres),
    startBroker(options, dataFolder, external.amqp),
    progress.step(
      'Kubernetes API',
      async (waitingFor) => keep('cluster', await startCluster(root, runFolder, options.cluster, waitingFor)),
      (found) => found.describe,
    ),
    telegramStandIn().then((standIn) => keep('telegram', standIn)),
    startPaymentProvider({ file: join(dataFolder, 'payments') }).then((provider) => keep('payment provider', provider)),
  ]);
  interrupted.signal.throwIfAborted();

  const [certPort, eventsPort, canaryPort, prometheusPort] = (await freePorts(4)) as [number, number, number, number];
  await ensureNamespace(cluster.client);
  const kubeconfigs = await serviceAccounts(cluster.client, {
    root,
    runFolder,
    kubeconfig: cluster.kubeconfig,
    names: SERVICE_NAMES,
  });
  const ports: Record<ServiceName, number> = {
    'cert-service': certPort,
    'event-relay': eventsPort,
    'canary-controller': canaryPort,
  };
  const input = {
    root,
    runFolder,
    ports,
    databases: postgres,
    amqpUrl: rabbit.amqpUrl,
    managementUrl: rabbit.managementUrl,
    kubeconfigs,
    prometheusUrl: `http://127.0.0.1:${prometheusPort}`,
    credentials,
    telegram: { url: telegram.url, token: telegram.token, chatId: telegram.chats[0]!.id },
    report: (text: string) => progress.line(`  ..  ${text}`),
  };
  const program = [join(root, 'node_modules/.bin/node'), ...NODE_FLAGS, join(root, 'apps/order-demo/dist/main.js')];
  const orderDemo = {
    program,
    secrets: {
      DATABASE_URL: postgres['order-demo'],
      AMQP_URL: rabbit.amqpUrl,
      PAYMENT_TOKEN: payments.token,
      ...(rabbit.managementUrl === undefined ? {} : { AMQP_MANAGEMENT_URL: rabbit.managementUrl }),
    },
    paymentUrl: payments.url,
    tokensFile: credentials.tokensFile,
  };

  const [certService, ...others] = await together(
    SERVICE_NAMES.map((name) =>
      progress.step(
        name,
        async () => keep(name, await startService(input, name)),
        () => `${name} at ${serviceUrl(input, name)}`,
      ),
    ),
  );
  const { ca, caFile } = await progress.step(
    'certificate of the gateway',
    () => deliverCertificate(serviceUrl(input, 'cert-service'), credentials.tokens.operator, runFolder),
    () => `cert-service delivers the gateway's certificate to Secret ${NAMESPACE}/${TLS_SECRET}`,
  );
  interrupted.signal.throwIfAborted();
  const [gateway] = await together([
    progress.step(
      'gateway',
      async () => {
        const begun = await startGateway(root, cluster.kubeconfig, options.listen);
        keep('gateway', begun.process);
        return begun.gateway;
      },
      (one) => `gateway at ${one.httpsUrl}`,
    ),
    progress.step(
      'node',
      async () => keep('node', await startNode(root, runFolder, cluster.kubeconfig)),
      () => 'node that runs pods as processes',
    ),
  ]);
  const podTargets = { client: cluster.client, namespace: NAMESPACE, file: join(runFolder, 'pods.json') };
  keep('pod targets', new PodTargets(podTargets)).start();
  await together([
    progress.step(
      'Prometheus',
      async () =>
        keep(
          'Prometheus',
          await startPrometheus({
            port: prometheusPort,
            config: prometheusConfig({
              services: Object.fromEntries(SERVICE_NAMES.map((name) => [name, `127.0.0.1:${ports[name]}`])),
              gateway: gateway.metrics,
              rabbitMq: rabbit.metrics,
              podsFile: podTargets.file,
            }),
          }),
        ),
      (one) => `Prometheus at ${one.url}, scraping services, gateway and pods`,
    ),
    progress.step(
      'order-demo',
      async (waitingFor) => {
        await apply(cluster.client, [
          ...versionManifests(orderDemo, { version: 'v1' }),
          ...sharedManifests(orderDemo, 'v1'),
        ]);
        const names = [
          versionName('v1'),
          ...['inventory', 'documents', 'coupons', 'notifications'].map((role) => `order-demo-${role}`),
        ];
        for (const name of names) {
          waitingFor(`Deployment ${name}`);
          await deploymentReady(cluster.client, name, 90_000);
        }
      },
      () => 'order-demo v1 in the cluster: api, inventory, documents, coupons, notifications',
    ),
  ]);
  const trusting = trustingFetch(ca);
  await eventually(async () => (await trusting(`${gateway.httpsUrl}/readyz`)).ok, {
    withinMs: 60_000,
    describe: 'order-demo through the gateway',
  });
  const urls = {
    cert: serviceUrl(input, 'cert-service'),
    events: serviceUrl(input, 'event-relay'),
    canary: serviceUrl(input, 'canary-controller'),
    orders: gateway.httpsUrl,
    gateway: gateway.httpsUrl,
    prometheus: input.prometheusUrl,
    telegram: telegram.url,
    payments: payments.url,
  };
  const consoleService = await progress.step(
    'console',
    async () =>
      keep('console', await startConsole({ root, listen: options.listen, urls, caFile, report: input.report })),
    (one) => `console at ${one.url}`,
  );
  return {
    progress,
    client: cluster.client,
    kubeconfig: cluster.kubeconfig,
    credentials,
    databases: postgres,
    amqpUrl: rabbit.amqpUrl,
    managementUrl: rabbit.managementUrl,
    urls: { ...urls, console: consoleService.url ?? '' },
    telegram,
    ca,
    caFile,
    orderDemo,
    services: [certService!, ...others, consoleService],
    fetch: trusting,
    customers: (perSecond) =>
      new Customers({ url: gateway.httpsUrl, ca, token: credentials.tokens.customers, perSecond }),
  };
}

/**
 * Promise.all that waits for all of them even if one fails: what is still starting then would otherwise be there after
 * everything else was stopped.
 */
async function together<T extends readonly unknown[]>(parts: { readonly [K in keyof T]: Promise<T[K]> }): Promise<T> {
  await Promise.allSettled(parts);
  return Promise.all(parts);
}

/** Installs what is missing, one after the other: apt takes one at a time. */
async function ensureParts(options: StackOptions, hasBroker: boolean): Promise<void> {
  for (const part of [...(hasBroker ? [] : (['rabbitmq'] as const)), 'prometheus' as const]) {
    await ensurePart(part, { allowInstall: options.allowInstall, report: (text) => progress.line(`  ..  ${text}`) });
    interrupted.signal.throwIfAborted();
  }
}

async function startDatabases(
  options: StackOptions,
  dataFolder: string,
  adminUrl: string | undefined,
): Promise<Record<DatabaseName, string>> {
  const { createDatabase } = await import('./services/databases.ts');
  if (adminUrl !== undefined)
    return progress.step(
      'PostgreSQL',
      () => createDatabase(adminUrl, DATABASES),
      () => 'PostgreSQL of your own',
    );
  return progress.step(
    'PostgreSQL',
    async () => {
      const server = keep(
        'PostgreSQL',
        await startPostgres(options.keepData ? { durable: true, dataDir: join(dataFolder, 'postgres') } : {}),
      );
      return createDatabase(server.adminUrl, DATABASES);
    },
    () => 'PostgreSQL, a database and a role for each service',
  );
}

async function startBroker(
  options: StackOptions,
  dataFolder: string,
  amqpUrl: string | undefined,
): Promise<{ amqpUrl: string; managementUrl: string | undefined; metrics: string | undefined }> {
  if (amqpUrl !== undefined) return { amqpUrl, managementUrl: process.env['AMQP_MANAGEMENT_URL'], metrics: undefined };
  return progress.step(
    'RabbitMQ',
    async () => {
      const server = keep(
        'RabbitMQ',
        await startRabbitMq(options.keepData ? { dataDir: join(dataFolder, 'rabbitmq') } : {}),
      );
      return {
        amqpUrl: server.amqpUrl,
        managementUrl: server.managementUrl,
        metrics: new URL(server.prometheusUrl).host,
      };
    },
    () => 'RabbitMQ',
  );
}

/** Has cert-service keep the gateway's certificate in its Secret; resolves when it is there. */
async function deliverCertificate(
  url: string,
  token: string,
  runFolder: string,
): Promise<{ ca: string; caFile: string }> {
  const client = createClient(certificatesApi, { baseUrl: url, token });
  const { root: ca } = await client.getAuthority();
  const caFile = join(runFolder, 'root.pem');
  writeFileSync(caFile, ca);
  const delivery = await client.createDelivery({
    body: {
      dnsNames: [HOST],
      ipAddresses: ['127.0.0.1'],
      secret: { namespace: NAMESPACE, name: TLS_SECRET },
      lifetimeSeconds: 86_400,
    },
  });
  await eventually(
    async () => {
      const now = await client.getDelivery({ params: { id: delivery.id } });
      if (now.state === 'conflict' || now.state === 'failed')
        throw new Error(`the delivery is ${now.state}: ${now.reason}`);
      return now.state === 'delivered';
    },
    { withinMs: 60_000, describe: 'the certificate in its Secret' },
  );
  return { ca: readFileSync(caFile, 'utf8'), caFile };
}

/** fetch that trusts the platform's root besides nothing else. */
function trustingFetch(ca: string): typeof fetch {
  const dispatcher = new Agent({ connect: { ca } });
  return ((input: string, init: object) => undiciFetch(input, { ...init, dispatcher })) as unknown as typeof fetch;
}

function keep<T extends { stop(): Promise<unknown> }>(name: string, part: T): T {
  running.push({ name, stop: () => part.stop() });
  return part;
}

function showAccess(platform: Platform, envFile: string): void {
  const { urls } = platform;
  progress.heading('Everything stays up until Ctrl-C');
  progress.say(`console      ${urls.console}`);
  progress.say(`token        ${platform.credentials.tokens.operator}`);
  progress.say(`gateway      ${urls.gateway}   (root certificate: ${platform.caFile})`);
  progress.say(`cert-service ${urls.cert}   event-relay ${urls.events}   canary-controller ${urls.canary}`);
  progress.say(`Prometheus   ${urls.prometheus}   Telegram stand-in ${urls.telegram}`);
  progress.say(
    `payments     ${urls.payments}/behaviour   (PUT {"mode": "slow", "delayMs": 2000}; also late, down, dropping, declining)`,
  );
  progress.say(`kubeconfig   ${platform.kubeconfig}`);
  progress.say(`next: npm run --silent keelson -- --env-file ${envFile} status`);
}

async function stopAll(): Promise<void> {
  // Those at the edge first: nobody is left to send work to what stops after it.
  for (const part of running.toReversed()) {
    await part.stop().catch((error: unknown) => process.stderr.write(`${part.name} did not stop: ${String(error)}\n`));
  }
}
