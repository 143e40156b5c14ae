import {
  ensurePart,
  privateFolder,
  removePrivateFolder,
  startPostgres,
  startProcess,
  startRabbitMq,
  type ManagedProcess,
  type Postgres,
  type RabbitMq,
} from '@keelson/testing';
import { createHash, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Node's options that services are started with everywhere: with a small young generation memory does not follow the load. */
export const AS_SHIPPED = '--max-semi-space-size=4';

/** Real servers with durable settings, and services as processes of their own: what a benchmark works on. */
export class Place {
  readonly token = `bench_${randomBytes(16).toString('hex')}`;
  readonly folder = privateFolder('bench');
  readonly #root: string;
  readonly #running: { stop(): Promise<unknown> }[] = [];
  postgres!: Postgres;
  rabbit!: RabbitMq;

  constructor(root: string) {
    this.#root = root;
  }

  async start(): Promise<this> {
    await ensurePart('rabbitmq', { report: (text) => process.stderr.write(`${text}\n`) });
    [this.postgres, this.rabbit] = await Promise.all([
      startPostgres({ durable: true, dataDir: join(this.folder, 'postgres') }),
      startRabbitMq(),
    ]);
    this.#running.push(this.postgres, this.rabbit);
    // RabbitMQ's own default. The test kit's 512 MiB block whoever fills a queue with half a million messages, for ever.
    await this.rabbit.rabbitmqctl(['set_vm_memory_high_watermark', '0.4']);
    writeFileSync(
      join(this.folder, 'tokens.json'),
      JSON.stringify([
        { name: 'bench', team: '*', scopes: ['*'], sha256: createHash('sha256').update(this.token).digest('hex') },
      ]),
    );
    return this;
  }

  /** Starts a built service; resolves when it is ready. */
  async service(name: string, env: Record<string, string> = {}, args: readonly string[] = []): Promise<ManagedProcess> {
    const ready = join(this.folder, `${name}-${randomBytes(4).toString('hex')}.json`);
    const service = await startProcess({
      name,
      command: [join(this.#root, 'node_modules/.bin/node'), join(this.#root, `apps/${name}/dist/main.js`), ...args],
      env: {
        NODE_OPTIONS: undefined,
        HOST: '127.0.0.1',
        PORT: '0',
        READY_FILE: ready,
        DATABASE_URL:
          env['DATABASE_URL'] ??
          (await this.postgres.createDatabase({ name: `bench_${randomBytes(4).toString('hex')}` })),
        AMQP_URL: this.rabbit.amqpUrl,
        TOKENS_FILE: join(this.folder, 'tokens.json'),
        LOG_LEVEL: 'warn',
        RATE_LIMIT_PER_SECOND: '0',
        ...env,
      },
      ready: { file: ready },
      timeoutMs: 60_000,
    });
    this.#running.push(service);
    return service;
  }

  /** Runs a program of ours without the sources' condition, so that it takes the built libraries; gives its last line as JSON. */
  async program<T>(file: string, env: Record<string, string> = {}): Promise<T> {
    const run = await startProcess({
      name: file,
      command: [
        join(this.#root, 'node_modules/.bin/node'),
        '--disable-warning=ExperimentalWarning',
        join(this.#root, file),
      ],
      env: { NODE_OPTIONS: undefined, ...env },
    });
    const { code } = await run.exited;
    if (code !== 0) throw new Error(`${file} failed:\n${run.lastLines(20).join('\n')}`);
    return JSON.parse(run.lastLines(1)[0]!) as T;
  }

  async stop(): Promise<void> {
    for (const one of this.#running.toReversed()) await one.stop();
    removePrivateFolder(this.folder);
  }
}
