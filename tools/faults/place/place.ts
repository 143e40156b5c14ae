import {
  ensurePart,
  eventually,
  freePort,
  freePorts,
  privateFolder,
  removePrivateFolder,
  startPaymentProvider,
  startPostgres,
  startRabbitMq,
  startRabbitMqCluster,
  tcpProxy,
  type PaymentProcess,
  type Postgres,
  type RabbitMq,
  type TcpProxy,
} from '@keelson/testing';
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { INSTANCES, QUEUES, RELAYS, type Instance } from '../schedule/kinds.ts';
import { RoleProcess } from './role-process.ts';

export interface PlaceOptions {
  readonly root: string;
  /** Nodes of the broker. */
  readonly nodes: number;
  readonly logs: string | undefined;
  readonly allowInstall: boolean;
  readonly say: (text: string) => void;
}

/** The broker, of one node or several. */
export interface Broker {
  readonly nodes: readonly RabbitMq[];
  leaderOf(queue: string): Promise<RabbitMq | undefined>;
  /** Of a cluster; see startRabbitMqCluster. */
  partition?(node: RabbitMq): Promise<() => Promise<void>>;
  stop(): Promise<void>;
}

/** Everything that a fault run breaks: each process reaches database and broker by a proxy of its own. */
export class Place {
  readonly token = `faults_${randomBytes(16).toString('hex')}`;
  readonly folder = privateFolder('faults');
  readonly options: PlaceOptions;
  readonly processes = new Map<Instance, RoleProcess>();
  #paymentPort = 0;
  postgres!: Postgres;
  broker!: Broker;
  databaseUrl!: string;
  payment!: PaymentProcess;
  /** In front of both api processes, as a Kubernetes Service is. */
  api!: TcpProxy;

  constructor(options: PlaceOptions) {
    this.options = options;
  }

  /** Resolves when every process is ready. */
  async start(): Promise<void> {
    const { nodes, allowInstall, say, logs } = this.options;
    if (logs !== undefined) mkdirSync(logs, { recursive: true });
    await ensurePart('rabbitmq', { allowInstall, report: say });
    [this.postgres, this.broker] = await together([startPostgres(), startBroker(nodes)]);
    this.#paymentPort = await freePort();
    await this.startPayment();
    this.databaseUrl = await this.postgres.createDatabase({ name: 'orders' });
    await this.#makeProcesses();
    await Promise.all([...this.processes.values()].map((one) => one.start()));
    await this.ready();
    await this.#queuesAreThere();
  }

  /** The payment provider, always on the same port and with the same books. */
  async startPayment(): Promise<void> {
    this.payment = await startPaymentProvider({ port: this.#paymentPort, file: join(this.folder, 'payments') });
  }

  /** How its services reach it, and the verifier. */
  get paymentEnv(): { PAYMENT_URL: string; PAYMENT_TOKEN: string } {
    return { PAYMENT_URL: this.payment.url, PAYMENT_TOKEN: this.payment.token };
  }

  /** The URL that customers use. */
  get url(): string {
    return this.api.url('http://127.0.0.1').replace(/\/$/, '');
  }

  process(name: string): RoleProcess {
    const found = this.processes.get(name as Instance);
    if (found === undefined) throw new Error(`there is no process ${name}`);
    return found;
  }

  ofRole(role: string): RoleProcess[] {
    return [...this.processes.values()].filter((one) => one.role === role);
  }

  get relays(): RoleProcess[] {
    return RELAYS.map((name) => this.process(name));
  }

  /** Resolves when every process says that it is ready, and names those that do not within `withinMs`. */
  async ready(withinMs = 120_000): Promise<void> {
    const waiting = new Set(this.processes.values());
    const readyNow = async (): Promise<boolean> => {
      await Promise.all([...waiting].map(async (one) => (await one.isReady()) && waiting.delete(one)));
      return waiting.size === 0;
    };
    try {
      await eventually(readyNow, { withinMs, everyMs: 100 });
    } catch (error) {
      const names = [...waiting].map(({ name }) => name).join(', ');
      throw new Error(`not ready ${withinMs / 1000} s after the fault: ${names}`, { cause: error });
    }
  }

  /** Killed within a second of its declaration, a quorum queue stays without a leader (RabbitMQ 3.10). */
  async #queuesAreThere(): Promise<void> {
    for (const queue of QUEUES)
      await eventually(() => this.broker.leaderOf(queue), {
        withinMs: 60_000,
        everyMs: 250,
        describe: `queue ${queue} has a leader`,
      });
  }

  async #makeProcesses(): Promise<void> {
    const ports = await freePorts(INSTANCES.length);
    const tokens = join(this.folder, 'tokens.json');
    const sha256 = createHash('sha256').update(this.token).digest('hex');
    writeFileSync(tokens, JSON.stringify([{ name: 'faults', team: '*', scopes: ['*'], sha256 }]), { mode: 0o600 });
    const { root, logs, say } = this.options;
    for (const [index, name] of INSTANCES.entries()) {
      const database = await tcpProxy(this.databaseUrl);
      const broker = await tcpProxy(this.broker.nodes.map(({ amqpUrl }) => amqpUrl));
      const env = {
        DATABASE_URL: database.url(this.databaseUrl),
        AMQP_URL: broker.url(this.broker.nodes[0]!.amqpUrl),
        TOKENS_FILE: tokens,
        ...this.paymentEnv,
        OUTBOX_RELAY: String(RELAYS.includes(name)),
        // Longer than any run: an order that nothing finishes is to be found stuck, not compensated by its deadline.
        ORDER_DEADLINE_SECONDS: '86400',
        SEED_STOCK: '100000000',
        APP_VERSION: name,
      };
      this.processes.set(
        name,
        new RoleProcess({ name, root, folder: this.folder, port: ports[index]!, env, database, broker, logs, say }),
      );
    }
    this.api = await tcpProxy(this.ofRole('api').map(({ url }) => url));
  }

  async stop(): Promise<void> {
    await this.api?.close();
    await Promise.all([...this.processes.values()].map((one) => one.stop()));
    await Promise.all([this.payment?.stop(), this.broker?.stop(), this.postgres?.stop()]);
    removePrivateFolder(this.folder);
  }
}

async function startBroker(count: number): Promise<Broker> {
  if (count > 1) return startRabbitMqCluster(count);
  const node = await startRabbitMq();
  const leaderOf = async (queue: string): Promise<RabbitMq | undefined> => {
    const listed = await node.rabbitmqctl(['list_queues', '--quiet', '--no-table-headers', 'name', 'leader']);
    return listed.split('\n').some((line) => line === `${queue}\t${node.nodeName}`) ? node : undefined;
  };
  return { nodes: [node], leaderOf, stop: () => node.stop() };
}

/** Promise.all that waits for all of them even if one fails, and then stops those that began. */
async function together<A extends { stop(): Promise<unknown> }, B extends { stop(): Promise<unknown> }>(
  parts: [Promise<A>, Promise<B>],
): Promise<[A, B]> {
  const results = await Promise.allSettled(parts);
  const failed = results.find((result) => result.status === 'rejected');
  if (failed) for (const result of results) if (result.status === 'fulfilled') await result.value.stop();
  return Promise.all(parts);
}
