import {
  buildProjects,
  ensurePart,
  eventually,
  freePorts,
  startPaymentProvider,
  startPrometheus,
  telegramStandIn,
} from '@keelson/testing';
import { join } from 'node:path';
import { ensureNamespace } from './cluster/apply.ts';
import { startCluster, startGateway, startNode, type Cluster, type Gateway } from './cluster/cluster.ts';
import { deliverCertificate, trustingFetch } from './cluster/gateway-certificate.ts';
import { deployOrderDemo } from './cluster/order-demo.ts';
import { NAMESPACE, TLS_SECRET, type OrderDemoOptions } from './cluster/order-demo.manifests.ts';
import { PodTargets } from './cluster/pod-targets.ts';
import { prometheusConfig } from './cluster/prometheus-config.ts';
import { serviceAccounts } from './cluster/service-accounts.ts';
import { makeCredentials } from './credentials.ts';
import type { Platform } from './platform.ts';
import type { Run } from './run.ts';
import { externalBroker, startBroker, type Broker } from './services/broker.ts';
import { startConsole } from './services/console.ts';
import { startDatabases } from './services/databases.ts';
import {
  NODE_FLAGS,
  SERVICE_NAMES,
  serviceUrl,
  startService,
  type ServiceName,
  type ServicesInput,
} from './services/services.ts';
import { Customers } from './story/customers.ts';

/** Brings up everything, in four rounds of what can start side by side; resolves when order-demo answers and the console is there. */
export async function startPlatform(run: Run): Promise<Platform> {
  const { root, folder, options, progress, signal, report } = run;
  const credentials = makeCredentials(folder, run.dataFolder);
  await ensureParts(run);
  const { databases, broker, cluster, telegram, payments } = await startGround(run);
  signal.throwIfAborted();

  const [certPort, eventsPort, canaryPort, prometheusPort] = (await freePorts(4)) as [number, number, number, number];
  await ensureNamespace(cluster.client);
  const accounts = { root, runFolder: folder, kubeconfig: cluster.kubeconfig, names: SERVICE_NAMES };
  const input: ServicesInput = {
    root,
    runFolder: folder,
    ports: { 'cert-service': certPort, 'event-relay': eventsPort, 'canary-controller': canaryPort },
    databases,
    amqpUrl: broker.amqpUrl,
    managementUrl: broker.managementUrl,
    kubeconfigs: await serviceAccounts(cluster.client, accounts),
    prometheusUrl: `http://127.0.0.1:${prometheusPort}`,
    credentials,
    telegram: { url: telegram.url, token: telegram.token, chatId: telegram.chats[0]!.id },
    report,
  };
  const services = await together(SERVICE_NAMES.map((name) => startOne(run, input, name)));
  const { ca, caFile } = await progress.step(
    'certificate of the gateway',
    () => deliverCertificate(serviceUrl(input, 'cert-service'), credentials.tokens.operator, folder),
    () => `cert-service delivers the gateway's certificate to Secret ${NAMESPACE}/${TLS_SECRET}`,
  );
  signal.throwIfAborted();

  const gateway = await startEdge(run, cluster);
  const orderDemo: OrderDemoOptions = {
    program: [join(root, 'node_modules/.bin/node'), ...NODE_FLAGS, join(root, 'apps/order-demo/dist/main.js')],
    secrets: {
      DATABASE_URL: databases['order-demo'],
      AMQP_URL: broker.amqpUrl,
      PAYMENT_TOKEN: payments.token,
      ...(broker.managementUrl === undefined ? {} : { AMQP_MANAGEMENT_URL: broker.managementUrl }),
    },
    paymentUrl: payments.url,
    tokensFile: credentials.tokensFile,
  };
  await startWorkload(run, { cluster, gateway, broker, input, prometheusPort, orderDemo });
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
    async () => run.keep('console', await startConsole({ root, listen: options.listen, urls, caFile, report })),
    (one) => `console at ${one.url}`,
  );
  return {
    progress,
    client: cluster.client,
    kubeconfig: cluster.kubeconfig,
    credentials,
    databases,
    amqpUrl: broker.amqpUrl,
    managementUrl: broker.managementUrl,
    urls: { ...urls, console: consoleService.url ?? '' },
    telegram,
    ca,
    caFile,
    orderDemo,
    services: [...services, consoleService],
    fetch: trusting,
    customers: (perSecond) =>
      new Customers({ url: gateway.httpsUrl, ca, token: credentials.tokens.customers, perSecond }),
  };
}

/** Installs what is missing, one after the other: apt takes one at a time. */
async function ensureParts({ options, report, signal }: Run): Promise<void> {
  const brokers = externalBroker() === undefined ? (['rabbitmq'] as const) : [];
  for (const part of [...brokers, 'prometheus' as const]) {
    await ensurePart(part, { allowInstall: options.allowInstall, report });
    signal.throwIfAborted();
  }
}

/** What everything else stands on, and the build of it. */
async function startGround(run: Run) {
  const { root, folder, dataFolder, options, progress, signal } = run;
  const [, databases, broker, cluster, telegram, payments] = await together([
    progress.step(
      'build',
      () => buildProjects(root, { signal }),
      () => 'services, console and CLI are built',
    ),
    startDatabases(run),
    startBroker(run),
    progress.step(
      'Kubernetes API',
      async (waitingFor) => run.keep('cluster', await startCluster(root, folder, options.cluster, waitingFor)),
      (found) => found.describe,
    ),
    telegramStandIn().then((standIn) => run.keep('telegram', standIn)),
    startPaymentProvider({ file: join(dataFolder, 'payments') }).then((one) => run.keep('payment provider', one)),
  ]);
  return { databases, broker, cluster, telegram, payments };
}

const startOne = (run: Run, input: ServicesInput, name: ServiceName) =>
  run.progress.step(
    name,
    async () => run.keep(name, await startService(input, name)),
    () => `${name} at ${serviceUrl(input, name)}`,
  );

/** The gateway, and the node that pods run on. */
async function startEdge(run: Run, cluster: Cluster): Promise<Gateway> {
  const { root, folder, options, progress } = run;
  const [gateway] = await together([
    progress.step(
      'gateway',
      async () => {
        const begun = await startGateway(root, cluster.kubeconfig, options.listen);
        run.keep('gateway', begun.process);
        return begun.gateway;
      },
      (one) => `gateway at ${one.httpsUrl}`,
    ),
    progress.step(
      'node',
      async () => run.keep('node', await startNode(root, folder, cluster.kubeconfig)),
      () => 'node that runs pods as processes',
    ),
  ]);
  return gateway;
}

/** order-demo, and the Prometheus that watches its pods. */
async function startWorkload(
  run: Run,
  on: {
    cluster: Cluster;
    gateway: Gateway;
    broker: Broker;
    input: ServicesInput;
    prometheusPort: number;
    orderDemo: OrderDemoOptions;
  },
): Promise<void> {
  const podTargets = { client: on.cluster.client, namespace: NAMESPACE, file: join(run.folder, 'pods.json') };
  run.keep('pod targets', new PodTargets(podTargets)).start();
  const config = prometheusConfig({
    services: Object.fromEntries(SERVICE_NAMES.map((name) => [name, `127.0.0.1:${on.input.ports[name]}`])),
    gateway: on.gateway.metrics,
    rabbitMq: on.broker.metrics,
    podsFile: podTargets.file,
  });
  await together([
    run.progress.step(
      'Prometheus',
      async () => run.keep('Prometheus', await startPrometheus({ port: on.prometheusPort, config })),
      (one) => `Prometheus at ${one.url}, scraping services, gateway and pods`,
    ),
    run.progress.step(
      'order-demo',
      (waitingFor) => deployOrderDemo(on.cluster.client, on.orderDemo, waitingFor),
      () => 'order-demo v1 in the cluster: api, inventory, documents, coupons, notifications',
    ),
  ]);
}

/**
 * Promise.all that waits for all of them even if one fails: what is still starting then would otherwise be there after
 * everything else was stopped.
 */
async function together<T extends readonly unknown[]>(parts: { readonly [K in keyof T]: Promise<T[K]> }): Promise<T> {
  await Promise.allSettled(parts);
  return Promise.all(parts);
}
