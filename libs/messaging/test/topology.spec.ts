import { connect, type ChannelModel } from 'amqplib';
import { TopologyMismatchError, type MessagingOptions } from '../src/index.ts';
import { applyDifferences } from '../src/topology/apply.ts';
import { defaultDelays } from '../src/topology/delays.ts';
import { describeDifference } from '../src/topology/difference.ts';
import { ManagementApi } from '../src/topology/management.ts';
import { migrateQueue } from '../src/topology/migrate.ts';
import { readTopology, type TopologyReport } from '../src/topology/read.ts';
import { topologyOf, type Needs, type QueueNeeds } from '../src/topology/topology.ts';
import { orderPlaced, orderShipped } from './messages.ts';
import { Workbench } from './service.ts';

describe('the topology', () => {
  let bench: Workbench;
  let model: ChannelModel;
  let management: ManagementApi;
  let counter = 0;
  const fresh = (): string => `topology.q${(counter += 1)}`;
  const exchange = 'topology.events';
  const needs = (queue: string, settings?: QueueNeeds['settings']): QueueNeeds => ({
    queue,
    routingKeys: [orderPlaced.routingKey],
    settings,
  });
  const wanted = (...all: Needs[]) => topologyOf(all, { exchange, delays: defaultDelays });

  beforeAll(async () => {
    bench = await Workbench.open();
    model = await connect(bench.vhost.amqpUrl);
    management = new ManagementApi(bench.vhost.managementUrl, bench.vhost.amqpUrl);
  });
  afterAll(async () => {
    await model.close();
    await bench.close();
  });

  const lines = ({ differences }: TopologyReport): string[] => differences.map(describeDifference);
  const read = async (...all: Needs[]) => lines(await readTopology(model, wanted(...all), management));
  const byAmqp = async (...all: Needs[]) => lines(await readTopology(model, wanted(...all), undefined));
  const make = async (...all: Needs[]) => {
    const topology = wanted(...all);
    const { differences } = await readTopology(model, topology, management);
    return applyDifferences(model, differences, { management, topology });
  };
  const service = (options: Partial<MessagingOptions>) => bench.messaging({ exchange, ...options });
  const failure = (work: Promise<unknown>): Promise<string> =>
    work.then(
      () => 'it did not fail',
      (error: Error) => error.message,
    );
  const handler = async (): Promise<void> => undefined;
  const raw = async <T>(
    work: (channel: Awaited<ReturnType<ChannelModel['createChannel']>>) => Promise<T>,
  ): Promise<T> => {
    const channel = await model.createChannel();
    // A refusal arrives as the rejected call too.
    channel.on('error', () => undefined);
    const result = await work(channel);
    await channel.close();
    return result;
  };

  test('is made from a plan, and then nothing differs, by both ways of reading', async () => {
    const queue = fresh();
    expect(await read(needs(queue))).toEqual(
      expect.arrayContaining([
        `queue ${queue}: missing -> consumer queue, create with "keelson messages apply"`,
        `queue ${queue}.parked: missing -> parking-lot queue, create with "keelson messages apply"`,
        `queue ${queue}: not bound -> bound to ${exchange} with test.placed.v1, create with "keelson messages apply"`,
      ]),
    );
    const { done, left } = await make(needs(queue));
    expect(left).toEqual([]);
    expect(done).toContain(`queue ${queue} created`);
    expect(await read(needs(queue))).toEqual([]);
    const messaging = await service({ topologyMode: 'verify', managementUrl: bench.vhost.managementUrl });
    await messaging.subscribe({ queue, messages: [orderPlaced], handler });
    expect(messaging.health().healthy).toBe(true);
  });

  test('in mode verify is listed where it does not fit, all of it at once, and nothing is made', async () => {
    const queue = fresh();
    await make(needs(queue));
    await raw((channel) => channel.deleteQueue(`${queue}.parked`));
    await raw((channel) => channel.unbindQueue(queue, exchange, orderPlaced.routingKey));
    const messaging = await service({ topologyMode: 'verify', managementUrl: bench.vhost.managementUrl });
    const attempt = messaging.subscribe({
      queue,
      messages: [orderPlaced, orderShipped],
      handler,
      limits: { deliveryLimit: 60 },
    });
    await expect(attempt).rejects.toThrow(TopologyMismatchError);
    const message = await failure(attempt);
    for (const line of [
      `queue ${queue}.parked: missing -> parking-lot queue`,
      `queue ${queue}: x-delivery-limit 50 -> 60, set a policy`,
      `queue ${queue}: not bound -> bound to ${exchange} with test.placed.v1`,
      `queue ${queue}: not bound -> bound to ${exchange} with test.shipped.v1`,
    ])
      expect(message).toContain(line);
    expect(message).toContain('read by management');
    await expect(raw((channel) => channel.checkQueue(`${queue}.parked`))).rejects.toThrow(/NOT_FOUND/);
  });

  test('in mode verify without a management URL is read by AMQP: what is missing, and the first property that differs', async () => {
    const queue = fresh();
    await raw((channel) => channel.assertQueue(queue, { durable: true, arguments: { 'x-queue-type': 'classic' } }));
    const found = await byAmqp(needs(queue));
    expect(found).toContain(
      `queue ${queue}.parked: missing -> parking-lot queue, create with "keelson messages apply"`,
    );
    expect(found.join('\n')).toMatch(new RegExp(`queue ${queue}: x-[a-z-]+ .* -> .*, migrate with`));
    expect(await failure(service({ topologyMode: 'verify', exchange: 'topology.absent' }))).toMatch(
      /exchange topology.absent: missing -> topic/,
    );
    await expect(raw((channel) => channel.checkQueue(`${queue}.parked`))).rejects.toThrow(/NOT_FOUND/);
  });

  test('names a queue of another type with the way out, and the way out keeps its messages', async () => {
    const queue = fresh();
    await make(needs(fresh()));
    await raw(async (channel) => {
      await channel.assertQueue(queue, { durable: true });
      await channel.bindQueue(queue, exchange, orderPlaced.routingKey);
      for (let n = 0; n < 25; n += 1)
        channel.publish(exchange, orderPlaced.routingKey, Buffer.from(String(n)), { persistent: true });
      await channel.checkQueue(queue);
    });
    expect(await read(needs(queue))).toContain(
      `queue ${queue}: x-queue-type classic -> quorum, migrate with "keelson messages apply --migrate ${queue}" while its consumers are stopped`,
    );
    const first = await make(needs(queue));
    expect(first.left.map(describeDifference).join()).toContain('x-queue-type classic -> quorum');

    expect(await migrateQueue(model, wanted(needs(queue)), queue, management)).toEqual({ queue, moved: 25 });
    expect(await read(needs(queue))).toEqual([]);
    const bodies = await raw(async (channel) => {
      const seen: string[] = [];
      for (;;) {
        const message = await channel.get(queue, { noAck: true });
        if (message === false) return seen;
        seen.push(message.content.toString());
      }
    });
    expect(bodies).toEqual(Array.from({ length: 25 }, (_, n) => String(n)));
  });

  test('goes on with a migration that ended in the middle, and refuses one while there are consumers', async () => {
    const queue = fresh();
    await make(needs(queue));
    // As a crash leaves it: the old queue is gone, its messages wait in the other one, which has its bindings.
    await raw(async (channel) => {
      await channel.deleteQueue(queue);
      await channel.assertQueue(`${queue}.migrating`, {
        durable: true,
        arguments: { 'x-queue-type': 'quorum', 'x-delivery-limit': 1_000_000_000 },
      });
      await channel.bindQueue(`${queue}.migrating`, exchange, orderPlaced.routingKey);
    });
    await raw(async (channel) => {
      channel.publish(exchange, orderPlaced.routingKey, Buffer.from('waits'), { persistent: true });
      await channel.checkQueue(`${queue}.migrating`);
    });
    expect((await read(needs(queue))).join('\n')).toContain(`queue ${queue}: a migration was not finished`);
    expect((await byAmqp(needs(queue))).join('\n')).toContain(`queue ${queue}: a migration was not finished`);
    await migrateQueue(model, wanted(needs(queue)), queue, management);
    expect(await read(needs(queue))).toEqual([]);
    await raw(async (channel) =>
      expect(await channel.get(queue, { noAck: true })).toMatchObject({ content: Buffer.from('waits') }),
    );

    const channel = await model.createChannel();
    await channel.consume(queue, () => undefined);
    await expect(migrateQueue(model, wanted(needs(queue)), queue)).rejects.toThrow(/has 1 consumers: stop them/);
    await channel.close();
    await expect(migrateQueue(model, wanted(needs(queue)), 'no.such')).rejects.toThrow(
      `is not one of this topology: keelson.delayed.parked, ${queue}.parked, ${queue}`,
    );
  });

  test('changes limits by policy where there is a management API, up and down, while messages stay', async () => {
    const queue = fresh();
    await make(needs(queue, { maxLength: 1_000 }));
    expect((await management.queues()).find(({ name }) => name === queue)?.arguments).not.toHaveProperty(
      'x-max-length',
    );
    for (const maxLength of [500, 2_000]) {
      expect((await read(needs(queue, { maxLength }))).join()).toMatch(/x-max-length \d+ -> \d+, set a policy/);
      await make(needs(queue, { maxLength }));
      expect(await read(needs(queue, { maxLength }))).toEqual([]);
    }
    const messaging = await service({ managementUrl: bench.vhost.managementUrl });
    await messaging.subscribe({ queue, messages: [orderPlaced], handler, limits: { maxLength: 3_000 } });
    expect(await read(needs(queue, { maxLength: 3_000 }))).toEqual([]);
  });

  test('lowers a limit that is an argument by policy, and needs a migration to raise it', async () => {
    const queue = fresh();
    const plain = await service({});
    const subscription = await plain.subscribe({
      queue,
      messages: [orderPlaced],
      handler,
      limits: { maxLength: 1_000 },
    });
    await subscription.close();
    expect(await read(needs(queue, { maxLength: 10 }))).toEqual([
      `queue ${queue}: x-max-length 1000 -> 10, set a policy with "keelson messages apply"`,
    ]);
    expect(await read(needs(queue, { maxLength: 5_000 }))).toEqual([
      `queue ${queue}: x-max-length 1000 -> 5000, migrate with "keelson messages apply --migrate ${queue}" while its consumers are stopped`,
    ]);
  });

  test('leaves a policy of somebody else alone and says whose it is', async () => {
    const queue = fresh();
    await make(needs(queue));
    await management.setPolicy('ops', {
      pattern: `^${queue}$`,
      'apply-to': 'queues',
      definition: { 'max-length': 7, 'delivery-limit': 50 },
      priority: 9,
    });
    expect(await read(needs(queue))).toEqual([
      `queue ${queue}: x-max-length 7 -> 1000000, it comes from policy "ops", which is not ours: change it there`,
    ]);
    await management.deletePolicy('ops');
  });

  test('never shows credentials where the management API refuses or is away', async () => {
    const wrong = new URL(bench.vhost.managementUrl);
    wrong.password = 'wrong-secret';
    const refused = await failure(new ManagementApi(wrong.href, bench.vhost.amqpUrl).overview());
    expect(refused).toMatch(/answered 401.*tag "management"/);
    const away = await failure(new ManagementApi('http://127.0.0.1:1', bench.vhost.amqpUrl).queues());
    expect(away).toMatch(/127.0.0.1:1 gives no answer/);
    for (const error of [refused, away]) {
      expect(error).not.toContain('wrong-secret');
      expect(error).not.toContain(new URL(bench.vhost.amqpUrl).password);
    }
  });
});
