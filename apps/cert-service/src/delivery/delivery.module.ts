import { existsSync } from 'node:fs';
import { Inject, Module, Optional, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { KubernetesClient } from '@keelson/kubernetes';
import { Database } from '@keelson/persistence';
import { CLOCK, CONFIG, ConfigError, logger, type Clock } from '@keelson/service-kit';
import type { Config } from '../config.ts';
import { Issuance } from '../issuance/issuance.ts';
import { Ledger } from '../storage/ledger.ts';
import { PeriodicTask } from '../tasks/periodic-task.ts';
import { DeliveryController } from './delivery.controller.ts';
import { measureDeliveries } from './delivery-metrics.ts';
import { DeliveryWorker } from './delivery-worker.ts';
import { Deliveries } from './deliveries.ts';
import { TlsSecrets } from './tls-secret.ts';

const log = logger('delivery');
const CLUSTER = Symbol('keelson.cert-service.cluster');
const WORK = Symbol('keelson.cert-service.delivery-work');

/** How often to look for deliveries that are due; new ones are taken up at once. */
const LOOK_MS = 1_000;

const serviceAccountToken = '/var/run/secrets/kubernetes.io/serviceaccount/token';

function openCluster({ KUBECONFIG: path }: Config): KubernetesClient | null {
  if (path === undefined && !existsSync(serviceAccountToken)) {
    log.warn('neither KUBECONFIG nor a service account: deliveries are refused');
    return null;
  }
  try {
    return path === undefined ? KubernetesClient.default() : KubernetesClient.fromKubeconfig(path);
  } catch (error) {
    throw new ConfigError([{ name: 'KUBECONFIG', detail: (error as Error).message }]);
  }
}

function workOn(
  cluster: KubernetesClient | null,
  database: Database,
  clock: Clock,
  issuance: Issuance,
  ledger: Ledger,
  config: Config,
): PeriodicTask | null {
  if (cluster === null) return null;
  const secrets = new TlsSecrets(cluster);
  const checkSeconds = config.DELIVERY_CHECK_SECONDS;
  const worker = new DeliveryWorker({ database, clock, issuance, ledger, secrets, checkSeconds });
  return new PeriodicTask({
    name: 'deliveries',
    everyMs: LOOK_MS,
    run: async (signal) => {
      await worker.run(signal);
      await measureDeliveries(database);
    },
  });
}

/** Keeps certificates in Kubernetes TLS Secrets. */
@Module({
  controllers: [DeliveryController],
  providers: [
    { provide: CLUSTER, inject: [CONFIG], useFactory: openCluster },
    { provide: WORK, inject: [CLUSTER, Database, CLOCK, Issuance, Ledger, CONFIG], useFactory: workOn },
    {
      provide: Deliveries,
      inject: [WORK, Database, CLOCK, Issuance, CONFIG],
      useFactory: (work: PeriodicTask | null, database: Database, clock: Clock, issuance: Issuance, config: Config) =>
        new Deliveries({
          database,
          clock,
          issuance,
          available: work !== null,
          namespaces: config.DELIVERY_NAMESPACES,
          wake: () => work?.wake(),
        }),
    },
  ],
})
export class DeliveryModule implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #work: PeriodicTask | null;
  readonly #cluster: KubernetesClient | null;

  constructor(
    @Optional() @Inject(WORK) work: PeriodicTask | null,
    @Optional() @Inject(CLUSTER) cluster: KubernetesClient | null,
  ) {
    this.#work = work;
    this.#cluster = cluster;
  }

  onApplicationBootstrap(): void {
    this.#work?.start();
  }

  async onModuleDestroy(): Promise<void> {
    await this.#work?.stop();
    this.#cluster?.close();
  }
}
