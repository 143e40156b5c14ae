import { canariesApi, catalogue } from '@keelson/contracts';
import { installCustomResourceDefinition, KubernetesClient } from '@keelson/kubernetes';
import { Messaging, outboxMigrations } from '@keelson/messaging';
import { Database, idempotencyMigrations, PostgresIdempotencyStore } from '@keelson/persistence';
import {
  counter,
  gauge,
  histogram,
  logger,
  systemClock,
  type Clock,
  type ServiceDefinition,
  type ServiceOptions,
} from '@keelson/service-kit';
import { eventRelay } from './analysis/event-relay.ts';
import { Prometheus } from './analysis/prometheus.ts';
import { CanaryModule } from './canary.module.ts';
import { configSchema, type Config } from './config.ts';
import { ReleaseRepository } from './history/release.repository.ts';
import { canaryMigrations } from './history/schema.migration.ts';
import { CanaryService } from './http/canary.service.ts';
import { Cluster } from './reconcile/cluster.ts';
import { ControllerLoop } from './reconcile/controller-loop.ts';
import { installUntilThere } from './reconcile/install-definition.ts';
import { controllerMetrics } from './reconcile/metrics.ts';
import { Reconciler } from './reconcile/reconciler.ts';

const name = 'canary-controller';

/** The parts of the service by its configuration; the database is open when it resolves, the loop may still wait. */
export async function partsOf(
  settings: Config,
  clock: Clock = systemClock,
): Promise<Pick<ServiceOptions, 'module' | 'ready' | 'close' | 'clock'>> {
  const log = logger(name);
  const database = await Database.open({
    url: settings.DATABASE_URL,
    name,
    migrations: [...outboxMigrations, ...idempotencyMigrations, ...canaryMigrations],
    log: logger('database'),
  });
  const messaging = await Messaging.connect({
    url: settings.AMQP_URL,
    managementUrl: settings.AMQP_MANAGEMENT_URL,
    topologyMode: settings.AMQP_TOPOLOGY,
    service: name,
    catalogue,
    database,
    metrics: { counter, gauge, histogram },
    log: logger('messaging'),
  });
  const relay = await messaging.startOutboxRelay();
  const client = settings.KUBECONFIG
    ? KubernetesClient.fromKubeconfig(settings.KUBECONFIG)
    : KubernetesClient.default();
  const releases = new ReleaseRepository(database);
  const cluster = new Cluster(client);
  const metrics = controllerMetrics();
  const reconciler = new Reconciler({
    database,
    releases,
    cluster,
    prometheus: new Prometheus(settings.PROMETHEUS_URL),
    events: eventRelay({ url: settings.EVENTS_URL, token: settings.SERVICE_TOKEN }),
    clock,
    metrics,
    log,
  });
  const loop = new ControllerLoop({
    client,
    reconciler,
    releases,
    cluster,
    metrics,
    leaseNamespace: settings.LEASE_NAMESPACE ?? client.namespace,
    leaseDurationMs: settings.LEASE_DURATION_SECONDS * 1000,
    identity: settings.POD_NAME,
    log,
  });
  // The API server may be away at start: HTTP answers meanwhile, readiness says what is missing.
  const installed = installUntilThere(() => installCustomResourceDefinition(client), {
    log,
    isThere: () => cluster.servesCanaries(),
  });
  void installed.done.then((done) => done && loop.start());
  const service = new CanaryService({ client, loop, database, releases, clock });
  return {
    module: CanaryModule.with(service, new PostgresIdempotencyStore(database)),
    clock,
    // The broker is not among them: while it is away releases go on, and messages wait in the outbox.
    ready: {
      database: () => database.ping(),
      canaries: async () => {
        if (!loop.synced) throw new Error('the Canaries are not listed yet: is the Kubernetes API server there?');
      },
    },
    close: [
      () => installed.stop(),
      () => loop.stop(),
      () => relay.stop(),
      () => messaging.close(),
      () => database.close(),
      () => client.close(),
    ],
  };
}

/** What `runService` needs. */
export const definition: ServiceDefinition<typeof configSchema> = {
  name,
  version: process.env['APP_VERSION'] ?? '0.1.0',
  api: canariesApi,
  config: configSchema,
  start: (settings) => partsOf(settings),
};
