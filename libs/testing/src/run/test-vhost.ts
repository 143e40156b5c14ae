import { randomBytes } from 'node:crypto';
import { makeVhost, type Management, managementOf } from '../rabbitmq/management.ts';
import { sharedPart } from './shared-parts.ts';

export interface TestVhost {
  readonly amqpUrl: string;
  readonly vhost: string;
  /** Of the whole broker, with user and password. */
  readonly managementUrl: string;
  /** Calls the management API: `management('/api/queues/' + vhost)`. */
  readonly management: Management;
  delete(): Promise<void>;
}

/** An empty virtual host on the run's RabbitMQ, for one test file. */
export async function testVhost(): Promise<TestVhost> {
  const { amqpUrl, managementUrl } = await sharedPart('rabbitmq');
  const management = managementOf(managementUrl);
  const vhost = `test-${randomBytes(6).toString('hex')}`;
  const url = new URL(amqpUrl);
  await makeVhost(management, vhost, decodeURIComponent(url.username));
  url.pathname = `/${vhost}`;
  return {
    amqpUrl: url.href,
    vhost,
    managementUrl,
    management,
    delete: async () => void (await management(`/api/vhosts/${vhost}`, { method: 'DELETE' })),
  };
}
