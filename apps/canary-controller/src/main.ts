import { canariesApi, catalogue } from '@keelson/contracts';
import { installCustomResourceDefinition, KubernetesClient } from '@keelson/kubernetes';
import { Messaging, outboxMigrations } from '@keelson/messaging';
import { Database } from '@keelson/persistence';
import { logger, runService, systemClock } from '@keelson/service-kit';
import { eventRelay } from './analysis/event-relay.ts';
import { Prometheus } from './analysis/prometheus.ts';
import { CanaryModule } from './canary.module.ts';
import { config } from './config.ts';
import { ReleaseRepository } from './history/release.repository.ts';
import { CanarySchema1780000000000 } from './history/schema.migration.ts';
import { CanaryService } from './http/canary.service.ts';
import { Cluster } from './reconcile/cluster.ts';
import { ControllerLoop } from './reconcile/controller-loop.ts';
import { Reconciler } from './reconcile/reconciler.ts';
import { installUntilThere } from './reconcile/install-definition.ts';

const name = 'canary-controller';

await runService({
  name,
  version: process.env['APP_VERSION'] ?? '0.1.0',
  api: canariesApi,
  config,
  start: async (settings) => {
    const log = logger(name);
    const database = await Database.open({
      url: settings.DATABASE_URL,
      name,
      migrations: [...outboxMigrations, CanarySchema1780000000000],
      log,
    });
    const messaging = await Messaging.connect({ url: settings.AMQP_URL, service: name, catalogue, database });
    const relay = await messaging.startOutboxRelay();
    const client = settings.KUBECONFIG
      ? KubernetesClient.fromKubeconfig(settings.KUBECONFIG)
      : KubernetesClient.default();
    const releases = new ReleaseRepository(database);
    const reconciler = new Reconciler({
      database,
      releases,
      cluster: new Cluster(client),
      prometheus: new Prometheus(settings.PROMETHEUS_URL),
      events: eventRelay({ url: settings.EVENTS_URL, token: settings.SERVICE_TOKEN }),
      clock: systemClock,
      log,
    });
    const loop = new ControllerLoop({
      client,
      reconciler,
      releases,
      leaseNamespace: settings.LEASE_NAMESPACE,
      leaseDurationMs: settings.LEASE_DURATION_SECONDS * 1000,
      identity: settings.POD_NAME,
      log,
    });
    // The API server may be away at start: HTTP answers meanwhile, readiness says what is missing.
    const installed = installUntilThere(() => installCustomResourceDefinition(client), { log });
    void installed.done.then((done) => done && loop.start());
    return {
      module: CanaryModule.with(new CanaryService({ client, loop, database, releases, clock: systemClock })),
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
  },
});
