import { outboxMigrations } from '@keelson/messaging';
import {
  installCustomResourceDefinition,
  KubernetesClient,
  resources,
  type Deployment,
  type Service,
} from '@keelson/kubernetes';
import { Database } from '@keelson/persistence';
import {
  startProcess,
  startPrometheus,
  testCluster,
  testDatabase,
  type ManagedProcess,
  type Prometheus as Server,
  type TestCluster,
  type TestDatabase,
} from '@keelson/testing';
import type { JournalEvent } from '@keelson/contracts';
import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Prometheus } from '../src/analysis/prometheus.ts';
import { ReleaseRepository } from '../src/history/release.repository.ts';
import { CanarySchema1780000000000 } from '../src/history/schema.migration.ts';
import { CanaryService } from '../src/http/canary.service.ts';
import { Cluster } from '../src/reconcile/cluster.ts';
import { ControllerLoop } from '../src/reconcile/controller-loop.ts';
import { Reconciler } from '../src/reconcile/reconciler.ts';

const workspace = join(import.meta.dirname, '../../..');
const clock = { now: () => new Date() };

/** A gateway's figures as the test wants them, in the format that Prometheus scrapes. */
class Figures {
  readonly counts = new Map<string, { ok: number; failed: number }>();
  readonly #server: HttpServer;

  constructor(namespace: () => string) {
    this.#server = createServer((_request, response) => {
      const lines = ['# TYPE nginx_ingress_controller_requests counter'];
      for (const [service, { ok, failed }] of this.counts) {
        const labels = (status: number) =>
          `controller_pod="gw",namespace="${namespace()}",service="shop-v1",canary="${namespace()}-${service}-http",status="${status}"`;
        lines.push(
          `nginx_ingress_controller_requests{${labels(202)}} ${ok}`,
          `nginx_ingress_controller_requests{${labels(500)}} ${failed}`,
        );
      }
      response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(`${lines.join('\n')}\n`);
    });
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** So many more requests have reached the Service. */
  add(service: string, ok: number, failed = 0): void {
    const before = this.counts.get(service) ?? { ok: 0, failed: 0 };
    this.counts.set(service, { ok: before.ok + ok, failed: before.failed + failed });
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** A cluster with a node, a Prometheus and a database: what the controller works on, all of it real. */
export class TestPlatform {
  readonly figures = new Figures(() => this.namespace);
  /** What event-relay would answer. */
  warnings: JournalEvent[] = [];
  namespace = '';
  client!: KubernetesClient;
  database!: Database;
  releases!: ReleaseRepository;
  service!: CanaryService;
  loop!: ControllerLoop;
  #cluster!: TestCluster;
  #node!: ManagedProcess;
  #prometheus!: Server;
  #place!: TestDatabase;

  async start(): Promise<void> {
    this.#cluster = await testCluster();
    this.client = KubernetesClient.fromKubeconfig(this.#cluster.kubeconfig);
    this.#node = await startProcess({
      name: 'sandbox node',
      command: [
        process.execPath,
        '--conditions=keelson-source',
        '--disable-warning=ExperimentalWarning',
        join(workspace, 'tools/sandbox/node/main.ts'),
        '--kubeconfig',
        this.#cluster.kubeconfig,
      ],
      env: { NODE_OPTIONS: undefined },
      ready: { line: /"ready":true/ },
    });
    await installCustomResourceDefinition(this.client);
    const exporter = await this.figures.start();
    this.#prometheus = await startPrometheus({
      config: `{ global: { scrape_interval: 200ms, scrape_timeout: 200ms }, scrape_configs: [{ job_name: gateway, static_configs: [{ targets: ["${exporter}"] }] }] }`,
    });
  }

  async stop(): Promise<void> {
    await Promise.all([this.figures.stop(), this.#prometheus.stop()]);
    await this.#node.stop();
    this.client.close();
    await this.#cluster.stop();
  }

  /** A fresh namespace and database with a controller of its own. */
  async begin(): Promise<void> {
    this.namespace = await this.#cluster.namespace();
    this.figures.counts.clear();
    this.warnings = [];
    this.#place = await testDatabase();
    this.database = await Database.open({
      url: this.#place.url,
      name: 'canary-controller-test',
      migrations: [...outboxMigrations, CanarySchema1780000000000],
    });
    this.releases = new ReleaseRepository(this.database);
    this.startController();
  }

  async end(): Promise<void> {
    await this.loop.stop();
    await this.database.close();
    await this.#place.drop();
  }

  startController(): void {
    const reconciler = new Reconciler({
      database: this.database,
      releases: this.releases,
      cluster: new Cluster(this.client),
      prometheus: new Prometheus(this.#prometheus.url),
      events: { warnings: async () => this.warnings },
      clock,
      log: { info: () => undefined, warn: () => undefined },
    });
    this.loop = new ControllerLoop({
      client: this.client,
      reconciler,
      releases: this.releases,
      leaseNamespace: this.namespace,
      leaseDurationMs: 2_000,
      identity: `test-${process.hrtime.bigint()}`,
      log: { info: () => undefined, warn: () => undefined, error: () => undefined },
    });
    this.service = new CanaryService({
      client: this.client,
      loop: this.loop,
      database: this.database,
      releases: this.releases,
      clock,
    });
    this.loop.start();
  }

  /** A version of the shop: a Deployment whose pod just sleeps, and its Service. */
  async version(name: string): Promise<void> {
    const { namespace } = this;
    const labels = { app: name };
    await this.client.create(
      resources.deployments,
      {
        metadata: { namespace, name },
        spec: {
          replicas: 1,
          selector: { matchLabels: labels },
          template: {
            metadata: { labels },
            spec: {
              terminationGracePeriodSeconds: 1,
              containers: [{ name: 'main', image: 'none', command: ['sleep', '3600'] }],
            },
          },
        },
      },
      { namespace },
    );
    await this.client.create(
      resources.services,
      { metadata: { namespace, name }, spec: { selector: labels, ports: [{ name: 'http', port: 80 }] } },
      { namespace },
    );
  }

  /** The user's own Ingress, to the given Service. */
  async ingress(service: string): Promise<void> {
    const { namespace } = this;
    await this.client.create(
      resources.ingresses,
      {
        metadata: { namespace, name: 'shop' },
        spec: {
          ingressClassName: 'nginx',
          rules: [
            {
              host: 'shop.example',
              http: {
                paths: [
                  { path: '/', pathType: 'Prefix', backend: { service: { name: service, port: { name: 'http' } } } },
                ],
              },
            },
          ],
        },
      },
      { namespace },
    );
  }
}
