import { createHash } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { installCustomResourceDefinition, KubernetesClient } from '@keelson/kubernetes';
import {
  freePort,
  privateFolder,
  removePrivateFolder,
  startProcess,
  startPrometheus,
  testCluster,
  testDatabase,
  testVhost,
  type ManagedProcess,
  type Prometheus,
  type TestCluster,
  type TestDatabase,
  type TestVhost,
} from '@keelson/testing';
import { Figures } from './figures.ts';

export const workspace = join(import.meta.dirname, '../../../..');

/** Tokens that the controllers of the tests, and event-relay, know: two teams, one that sees all, one that may only read. */
export const TOKENS = [
  { name: 'ada', team: 'shop', scopes: ['*'], token: 'shop-token' },
  { name: 'eve', team: 'other', scopes: ['*'], token: 'other-token' },
  { name: 'operator', team: '*', scopes: ['*'], token: 'operator-token' },
  { name: 'reader', team: 'shop', scopes: ['canaries:read'], token: 'reader-token' },
  { name: 'canary-controller', team: '*', scopes: ['events:read'], token: 'canary-controller-token' },
] as const;

export interface PlaceOptions {
  /** Whether event-relay and the gateway are started, too; else nobody answers at their addresses. */
  readonly relay?: boolean;
  readonly gateway?: boolean;
}

/** What the controller works on, all of it real: a cluster with a node, Prometheus, and on demand event-relay and the gateway. */
export class Place {
  readonly figures = new Figures();
  cluster!: TestCluster;
  client!: KubernetesClient;
  tokensFile!: string;
  /** Port of the gateway for HTTP. */
  gatewayPort = 0;
  eventsUrl = 'http://127.0.0.1:1';
  prometheus!: Prometheus;
  relay: ManagedProcess | undefined;
  #relayBase: { databaseUrl: string; amqpUrl: string; port: number } | undefined;
  #folder!: string;
  #prometheusPort = 0;
  #scraped: string[] = [];
  readonly #processes: ManagedProcess[] = [];
  readonly #places: { database: TestDatabase; vhost: TestVhost }[] = [];

  static async start(options: PlaceOptions = {}): Promise<Place> {
    const place = new Place();
    try {
      await place.#start(options);
    } catch (error) {
      await place.stop();
      throw error;
    }
    return place;
  }

  async stop(): Promise<void> {
    await this.figures.stop();
    await this.relay?.stop(5_000);
    for (const one of this.#processes.toReversed()) await one.stop(5_000);
    await this.prometheus?.stop();
    this.client?.close();
    await this.cluster?.stop();
    await Promise.all(this.#places.flatMap(({ database, vhost }) => [database.drop(), vhost.delete()]));
    removePrivateFolder(this.#folder);
  }

  /** A file of this place, for whoever needs one. */
  file(name: string): string {
    return join(this.#folder, name);
  }

  /** A database and a virtual host for one controller; stop() removes them. */
  async base(): Promise<{ databaseUrl: string; amqpUrl: string; vhost: TestVhost }> {
    const [database, vhost] = await Promise.all([testDatabase(), testVhost()]);
    this.#places.push({ database, vhost });
    return { databaseUrl: database.url, amqpUrl: vhost.amqpUrl, vhost };
  }

  get #prometheusData(): string {
    return join(this.#folder, 'prometheus');
  }

  get prometheusUrl(): string {
    return `http://127.0.0.1:${this.#prometheusPort}`;
  }

  async stopPrometheus(): Promise<void> {
    await this.prometheus.stop();
  }

  /** While it is stopped: what it had recorded is lost. */
  forgetPrometheus(): void {
    rmSync(this.#prometheusData, { recursive: true, force: true });
  }

  /** Again at the same address, with what it had recorded. */
  async startPrometheus(): Promise<void> {
    const targets = this.#scraped.map((target) => `"${target}"`).join(', ');
    this.prometheus = await startPrometheus({
      port: this.#prometheusPort,
      dataDir: this.#prometheusData,
      config: `{ global: { scrape_interval: 500ms, scrape_timeout: 500ms }, scrape_configs: [{ job_name: gateway, static_configs: [{ targets: [${targets}] }] }] }`,
    });
  }

  async #start({ relay = false, gateway = false }: PlaceOptions): Promise<void> {
    this.#folder = privateFolder('canary-place');
    this.tokensFile = join(this.#folder, 'tokens.json');
    const hashed = TOKENS.map(({ token, ...rest }) => ({
      ...rest,
      sha256: createHash('sha256').update(token).digest('hex'),
    }));
    writeFileSync(this.tokensFile, JSON.stringify(hashed), { mode: 0o600 });
    this.cluster = await testCluster();
    this.client = KubernetesClient.fromKubeconfig(this.cluster.kubeconfig);
    await installCustomResourceDefinition(this.client);
    await this.#sandbox('node', '--crash-loop-base', '300ms', '--crash-loop-max', '1s');
    this.#scraped = [await this.figures.start()];
    if (gateway) {
      const { httpPort, metrics } = await this.#sandbox('gateway');
      this.gatewayPort = httpPort!;
      this.#scraped.push(new URL(metrics!).host);
    }
    this.#prometheusPort = await freePort();
    await Promise.all([this.startPrometheus(), relay ? this.startRelay() : undefined]);
  }

  async #sandbox(part: 'node' | 'gateway', ...args: string[]): Promise<{ httpPort?: number; metrics?: string }> {
    let ready = '{}';
    const started = await startProcess({
      name: `sandbox ${part}`,
      command: [
        process.execPath,
        '--conditions=keelson-source',
        '--disable-warning=ExperimentalWarning',
        join(workspace, `tools/sandbox/${part}/main.ts`),
        '--kubeconfig',
        this.cluster.kubeconfig,
        ...args,
      ],
      env: { NODE_OPTIONS: undefined },
      ready: { line: /"ready":\s*true/ },
      timeoutMs: 120_000,
      onLine: (line) => {
        if (/"ready":\s*true/.test(line)) ready = line;
      },
    });
    this.#processes.push(started);
    return JSON.parse(ready) as { httpPort?: number; metrics?: string };
  }

  /** Again at the same address, with what it had stored. */
  async startRelay(): Promise<void> {
    this.#relayBase ??= { ...(await this.base()), port: await freePort() };
    const { databaseUrl, amqpUrl, port } = this.#relayBase;
    this.eventsUrl = `http://127.0.0.1:${port}`;
    this.relay = await startProcess({
      name: 'event-relay',
      command: [process.execPath, join(workspace, 'apps/event-relay/dist/main.js')],
      env: {
        NODE_OPTIONS: undefined,
        DATABASE_URL: databaseUrl,
        AMQP_URL: amqpUrl,
        KUBECONFIG: this.cluster.kubeconfig,
        TOKENS_FILE: this.tokensFile,
        PORT: String(port),
      },
      ready: { url: `${this.eventsUrl}/readyz` },
      timeoutMs: 120_000,
    });
  }
}
