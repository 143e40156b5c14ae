import amqp from 'amqplib';
import {
  ensurePart,
  eventually,
  privateFolder,
  type RabbitMq,
  removePrivateFolder,
  startRabbitMq,
  testRabbitMq,
} from '@keelson/testing';
import { join } from 'node:path';

async function keep(url: string, text: string): Promise<void> {
  const connection = await amqp.connect(url);
  const channel = await connection.createConfirmChannel();
  await channel.assertQueue('kept', { durable: true, arguments: { 'x-queue-type': 'quorum' } });
  channel.sendToQueue('kept', Buffer.from(text), { persistent: true });
  await channel.waitForConfirms();
  await connection.close();
}

async function take(url: string): Promise<string | undefined> {
  const connection = await amqp.connect(url);
  const channel = await connection.createChannel();
  const message = await channel.get('kept', { noAck: true });
  await connection.close();
  return message === false ? undefined : message.content.toString();
}

async function queue({ managementUrl }: RabbitMq, vhost: string): Promise<{ messages?: number }> {
  const { origin, username, password } = new URL(managementUrl);
  const authorization = `Basic ${btoa(`${username}:${password}`)}`;
  return (await (await fetch(`${origin}/api/queues/${vhost}/kept`, { headers: { authorization } })).json()) as {
    messages?: number;
  };
}

describe('a RabbitMQ of its own', () => {
  let rabbitMq: RabbitMq;

  beforeAll(async () => {
    rabbitMq = await testRabbitMq();
  });

  afterAll(() => rabbitMq.stop());

  test('comes back on the same ports after kill -9, with the confirmed messages of quorum queues', async () => {
    const { amqpUrl } = await rabbitMq.createVhost('orders');
    await keep(amqpUrl, 'confirmed');
    await eventually(async () => (await queue(rabbitMq, 'orders')).messages === 1, {
      describe: 'the queue counts its message',
    });
    rabbitMq.kill('SIGKILL');
    await rabbitMq.restart();
    expect(await take(amqpUrl)).toBe('confirmed');
  });

  test('is steered by rabbitmqctl and shows its figures', async () => {
    await rabbitMq.createVhost('billing');
    expect(await rabbitMq.rabbitmqctl(['list_vhosts'])).toContain('billing');
    expect(await (await fetch(rabbitMq.prometheusUrl)).text()).toContain('rabbitmq_identity_info');
  });

  test('keeps a folder that it was given, with its messages and its password', async () => {
    await ensurePart('rabbitmq');
    const folder = privateFolder('kept');
    const dataDir = join(folder, 'node');
    const first = await startRabbitMq({ dataDir });
    await keep(first.amqpUrl, 'kept');
    await first.stop();
    const second = await startRabbitMq({ dataDir });
    const text = await take(second.amqpUrl);
    await second.stop();
    removePrivateFolder(folder);
    expect(text).toBe('kept');
    expect(second.password).toBe(first.password);
  });
});
