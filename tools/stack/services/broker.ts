import { startRabbitMq } from '@keelson/testing';
import { join } from 'node:path';
import type { Run } from '../run.ts';

export interface Broker {
  readonly amqpUrl: string;
  /** Of the management API, where there is one. */
  readonly managementUrl: string | undefined;
  /** `host:port` of its metrics, where they are known. */
  readonly metrics: string | undefined;
}

/** RabbitMQ of somebody's own, who names it. */
export const externalBroker = (): string | undefined => process.env['AMQP_URL'];

/** RabbitMQ: one of our own, or the one of AMQP_URL. */
export async function startBroker(run: Run): Promise<Broker> {
  const amqpUrl = externalBroker();
  if (amqpUrl !== undefined) return { amqpUrl, managementUrl: process.env['AMQP_MANAGEMENT_URL'], metrics: undefined };
  return run.progress.step(
    'RabbitMQ',
    async () => {
      const kept = { dataDir: join(run.dataFolder, 'rabbitmq') };
      const server = run.keep('RabbitMQ', await startRabbitMq(run.options.keepData ? kept : {}));
      return {
        amqpUrl: server.amqpUrl,
        managementUrl: server.managementUrl,
        metrics: new URL(server.prometheusUrl).host,
      };
    },
    () => 'RabbitMQ',
  );
}
