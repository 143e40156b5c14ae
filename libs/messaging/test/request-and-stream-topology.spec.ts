import { defineRequest } from '@keelson/contracts';
import { connect, type ChannelModel } from 'amqplib';
import { z } from 'zod';
import type { MessagingOptions, QueuePlan } from '../src/index.ts';
import { examine } from '../src/diagnostics/doctor.ts';
import { applyDifferences } from '../src/topology/apply.ts';
import { defaultDelays } from '../src/topology/delays.ts';
import { describeDifference } from '../src/topology/difference.ts';
import { ManagementApi } from '../src/topology/management.ts';
import { migrateQueue } from '../src/topology/migrate.ts';
import { needsOf } from '../src/topology/needs.ts';
import { readTopology } from '../src/topology/read.ts';
import { topologyOf } from '../src/topology/topology.ts';
import { catalogue, orderPlaced } from './messages.ts';
import { Workbench } from './service.ts';

const checkStock = defineRequest({
  name: 'test.check-stock',
  version: 1,
  producer: 'test',
  summary: 'How many of an article are there?',
  schema: z.object({ sku: z.string() }),
  reply: z.object({ left: z.number().int() }),
});

describe('queues of requests and streams in the topology', () => {
  const exchange = 'other-kinds';
  let bench: Workbench;
  let model: ChannelModel;
  let management: ManagementApi;
  let serial = 0;
  let requests: QueuePlan & { kind: 'requests' };
  let stream: QueuePlan & { kind: 'stream' };

  beforeAll(async () => {
    bench = await Workbench.open();
    model = await connect(bench.vhost.amqpUrl);
    management = new ManagementApi(bench.vhost.managementUrl, bench.vhost.amqpUrl);
  });
  beforeEach(() => {
    serial += 1;
    requests = { kind: 'requests', queue: `kinds.stock-${serial}`, messages: [checkStock] };
    stream = { kind: 'stream', queue: `kinds.prices-${serial}`, messages: [orderPlaced] };
  });
  afterAll(async () => {
    await model.close();
    await bench.close();
  });

  const wanted = (...plans: QueuePlan[]) => topologyOf(plans.map(needsOf), { exchange, delays: defaultDelays });
  const read = async (plans: QueuePlan[], by: ManagementApi | undefined = management) =>
    (await readTopology(model, wanted(...plans), by)).differences.map(describeDifference);
  const byAmqp = async (...plans: QueuePlan[]) =>
    (await readTopology(model, wanted(...plans), undefined)).differences.map(describeDifference);
  const make = async (...plans: QueuePlan[]) => {
    const topology = wanted(...plans);
    const { differences } = await readTopology(model, topology, management);
    return applyDifferences(model, differences, { management, topology });
  };
  const service = (options: Partial<MessagingOptions> = {}) =>
    bench.messaging({ exchange, catalogue: { ...catalogue, [checkStock.routingKey]: checkStock }, ...options });
  const answer = async () => ({ left: 1 });
  const respond = async (options: Partial<MessagingOptions> = {}) => {
    const messaging = await service(options);
    await messaging.respond({ queue: requests.queue, request: checkStock, handler: answer });
    return messaging;
  };
  const follow = async (options: Partial<MessagingOptions> = {}) => {
    const messaging = await service({ database: await bench.database(), ...options });
    const { queue, maxAgeSeconds } = stream;
    await messaging.subscribeStream({
      stream: queue,
      maxAgeSeconds,
      instance: `i-${serial}`,
      messages: [orderPlaced],
      handler: async () => undefined,
    });
    return messaging;
  };
  const lay = async (queue: string, arguments_: Record<string, unknown>) => {
    const channel = await model.createChannel();
    await channel.assertQueue(queue, { durable: true, arguments: arguments_ });
    await channel.close();
  };

  test('are as their subscriptions declare them, by both ways of reading, and have no parking lot', async () => {
    await respond();
    await follow();
    expect(await read([requests, stream])).toEqual([]);
    expect(await byAmqp(requests, stream)).toEqual([]);
    expect(wanted(requests, stream).queues.map(({ name }) => name)).toEqual([requests.queue, stream.queue]);
  });

  test('are told where they are missing, made by apply, and then a program in mode verify starts', async () => {
    const verify = { topologyMode: 'verify', managementUrl: bench.vhost.managementUrl } as const;
    await make();
    const refusal = [
      `queue ${requests.queue}: missing -> requests queue, create with "keelson messages apply"`,
      `queue ${requests.queue}: not bound -> bound to ${exchange} with test.check-stock.v1`,
    ];
    for (const line of refusal) await expect(respond(verify)).rejects.toThrow(line);
    await expect(follow(verify)).rejects.toThrow(`queue ${stream.queue}: missing -> stream queue`);
    expect((await make(requests, stream)).left).toEqual([]);
    expect(await read([requests, stream])).toEqual([]);
    const client = await respond(verify);
    await follow(verify);
    expect(await client.request(checkStock, { sku: 'a' }, { deadlineMs: 60_000 })).toEqual({ left: 1 });
  });

  test('have limits that apply changes by policy, a stream the age of its messages, too', async () => {
    await make(requests, stream);
    for (const [maxLength, maxAgeSeconds] of [
      [5_000, 86_400],
      [20_000, 1_209_600],
    ]) {
      const changed = [
        { ...requests, maxLength },
        { ...stream, maxAgeSeconds },
      ];
      expect(await read(changed)).toEqual([
        expect.stringMatching(/x-max-length \d+ -> \d+, set a policy/),
        expect.stringMatching(/x-max-age \d+s -> \d+s, set a policy/),
      ]);
      expect((await make(...changed)).left).toEqual([]);
      expect(await read(changed)).toEqual([]);
    }
  });

  test('are told where they differ: a queue can be made anew, a stream cannot', async () => {
    await lay(requests.queue, { 'x-queue-type': 'quorum' });
    await lay(stream.queue, { 'x-queue-type': 'stream', 'x-max-age': '1h' });
    await make(requests, stream);
    const found = [
      `queue ${requests.queue}: x-queue-type quorum -> classic, migrate with "keelson messages apply --migrate ${requests.queue}" while its consumers are stopped`,
      `queue ${stream.queue}: x-max-age 1h -> 604800s, a stream cannot be made anew with its messages: subscribe under another name, and delete this one when all have read it ("rabbitmqadmin delete queue name=${stream.queue}")`,
    ];
    expect(await read([requests, stream])).toEqual(expect.arrayContaining(found));
    const seen = (await byAmqp(stream)).join();
    expect(seen).toMatch(/: x-[a-z-]+ .* -> .*, a stream cannot be made anew/);
    await expect(follow()).rejects.toThrow('a stream cannot be made anew');
    await expect(migrateQueue(model, wanted(stream), stream.queue, management)).rejects.toThrow(
      `stream ${stream.queue} cannot be made anew with its messages`,
    );
    await migrateQueue(model, wanted(requests), requests.queue, management);
    expect(await read([requests])).toEqual([]);
  });

  test('are there before their readers where a program plans them, so that what comes meanwhile waits', async () => {
    const client = await service({ topology: [requests, stream] });
    expect(client.queues).toEqual([]);
    const asked = client.request(checkStock, { sku: 'a' }, { deadlineMs: 10_000 });
    await client.publish(orderPlaced, { orderId: 'o', amount: 1 });
    await respond();
    expect(await asked).toEqual({ left: 1 });
    expect(await read([requests, stream])).toEqual([]);
  });

  test('are seen by the doctor: requests that nobody answers are wrong', async () => {
    await make(requests, stream);
    const findings = async () =>
      (
        await examine({ model, management, needs: [requests, stream].map(needsOf), exchange, delays: defaultDelays })
      ).filter(({ check }) => ['topology', 'consumers', 'parked'].includes(check));
    expect(await findings()).toEqual([
      expect.objectContaining({ check: 'topology', state: 'ok' }),
      expect.objectContaining({ state: 'wrong', detail: `nobody reads ${requests.queue}; 0 messages wait` }),
    ]);
    await respond({ managementUrl: bench.vhost.managementUrl });
    expect(await findings()).toContainEqual({ check: 'consumers', state: 'ok', detail: `${requests.queue}: 1` });
  });
});
