import { eventually } from '@keelson/testing';
import type { Database } from '@keelson/persistence';
import { connect } from 'amqplib';
import {
  outbox,
  parkingLot,
  type BatchContext,
  type BatchOptions,
  type Messaging,
  type Received,
} from '../src/index.ts';
import { Effects } from './effects.ts';
import { orderPlaced, orderShipped } from './messages.ts';
import { Workbench } from './service.ts';

const payload = { orderId: 'o', amount: 1 };
const quick = { quickDelaysMs: [], firstDelayMs: 100, maxDelayMs: 1_000 };
type Message = Received<typeof orderPlaced>;

/** A gate that everybody waits at until it is opened. */
function gate(): { opened: Promise<void>; open: () => void } {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}

describe('a subscription in batches', () => {
  let bench: Workbench;
  let database: Database;
  let recorded: Effects;
  let messaging: Messaging;
  let serial = 0;
  beforeAll(async () => {
    bench = await Workbench.open();
    database = await bench.database();
    recorded = await Effects.in(database);
  });
  beforeEach(async () => {
    await recorded.forget();
    messaging = await bench.messaging({ database, exchange: `batch-${(serial += 1)}` });
  });
  afterEach(() => messaging.close(500));
  afterAll(() => bench.close());

  const note = async (messages: readonly Message[], { tx }: BatchContext): Promise<void> =>
    void (await tx!.execute('insert into effect (message_id) select unnest($1::text[])', [
      messages.map(({ id }) => id),
    ]));
  const effects = () => recorded.ids();
  const publish = (ids: readonly string[]) =>
    messaging.publishMany(ids.map((id) => ({ definition: orderPlaced, payload, options: { id } })));

  /**
   * Batches as the handler saw them, one at a time. The first is a message `first` alone, and ends when `release` is
   * called: what comes meanwhile makes the next batches.
   */
  const consuming = async (
    queue: string,
    handler: BatchOptions<typeof orderPlaced>['handler'],
    options: Partial<BatchOptions<typeof orderPlaced>> = {},
  ) => {
    const batches: string[][] = [];
    const held = gate();
    const subscription = await messaging.subscribeBatch({
      queue,
      messages: [orderPlaced],
      concurrency: 1,
      retry: quick,
      ...options,
      handler: async (messages, context) => {
        batches.push(messages.map(({ id }) => id));
        if (batches.length === 1) await held.opened;
        await handler(messages, context);
      },
    });
    await publish(['first']);
    await eventually(() => batches.length === 1);
    return { batches, subscription, release: held.open };
  };
  const closeConsuming = async (): Promise<void> => {
    const path = `/api/vhosts/${bench.vhost.vhost}/connections`;
    const ours = await eventually(async () => {
      const all = (await bench.vhost.management(path)) as { name: string; client_properties: object }[];
      return all.find((one) => JSON.stringify(one.client_properties).includes('(consume)'));
    });
    await bench.vhost.management(`/api/connections/${encodeURIComponent(ours.name)}`, { method: 'DELETE' });
  };
  const ids = (count: number): string[] => Array.from({ length: count }, (_, n) => `m${n}`);

  test('hands over together what came meanwhile, in its order, up to the size', async () => {
    const { batches, release, subscription } = await consuming('batch.together', note, { size: 4 });
    for (const id of ids(6)) await publish([id]);
    await eventually(() => subscription.active === 7);
    release();
    await messaging.settled();
    expect(batches).toEqual([['first'], ['m0', 'm1', 'm2', 'm3'], ['m4', 'm5']]);
    expect(await effects()).toEqual(['first', ...ids(6)]);
  });

  test('handles a message once that comes twice: in one batch, and in a later one', async () => {
    const { batches, release, subscription } = await consuming('batch.doubles', note);
    await publish(['a', 'b', 'a', 'first']);
    await eventually(() => subscription.active === 5);
    release();
    await messaging.settled();
    await publish(['a', 'b']);
    await messaging.settled();
    expect(batches.map((batch) => batch.toSorted())).toEqual([['first'], ['a', 'b']]);
    expect((await effects()).toSorted()).toEqual(['a', 'b', 'first']);
  });

  test('lets one message that fails harm no other: nothing of the batch stays, each is handled by itself', async () => {
    const { batches, release, subscription } = await consuming(
      'batch.poison',
      async (messages, context) => {
        await note(messages, context);
        if (messages.some(({ id }) => id === 'm3')) throw new Error('never');
      },
      { retry: { ...quick, attempts: 2 } },
    );
    await publish(ids(6));
    await eventually(() => subscription.active === 7);
    release();
    const parked = await eventually(async () => (await parkingLot.list(messaging, 'batch.poison'))[0]);
    await messaging.settled();
    expect(parked).toMatchObject({ id: 'm3', code: 'attempts-exhausted', attempts: 2 });
    expect(batches[1]).toHaveLength(6);
    expect((await effects()).toSorted()).toEqual(['first', 'm0', 'm1', 'm2', 'm4', 'm5']);
  });

  test('parks what fails its schema, and its neighbours do not notice', async () => {
    const { release } = await consuming('batch.invalid', note);
    const connection = await connect(bench.vhost.amqpUrl);
    const channel = await connection.createConfirmChannel();
    const headers = { 'cloudEvents:id': 'bad', 'cloudEvents:type': orderPlaced.type };
    channel.sendToQueue('batch.invalid', Buffer.from('{"orderId":7}'), { headers, messageId: 'bad' });
    await channel.waitForConfirms();
    await connection.close();
    await publish(ids(3));
    release();
    const parked = await eventually(async () => (await parkingLot.list(messaging, 'batch.invalid'))[0]);
    await messaging.settled();
    expect(parked).toMatchObject({ id: 'bad', code: 'invalid-payload' });
    expect((await effects()).toSorted()).toEqual(['first', 'm0', 'm1', 'm2']);
  });

  test('keeps effects once when the connection is lost while a batch runs', async () => {
    const running = await consuming('batch.lost', note);
    await publish(ids(5));
    await eventually(() => running.subscription.active === 6);
    await closeConsuming();
    running.release();
    await eventually(async () => messaging.health().healthy && (await effects()).length === 6);
    await messaging.settled();
    expect((await effects()).toSorted()).toEqual(['first', ...ids(5)]);
  });

  test('writes to the outbox in the transaction of the batch', async () => {
    const shipped: string[] = [];
    await messaging.subscribe({
      queue: 'batch.shipped',
      messages: [orderShipped],
      inbox: false,
      handler: async (message) => void shipped.push(message.payload.orderId),
    });
    await messaging.startOutboxRelay();
    const { release } = await consuming('batch.chain', async (messages, { tx }) => {
      for (const { id } of messages) await outbox(tx!, orderShipped, { orderId: id }, { aggregate: id });
    });
    await publish(ids(3));
    release();
    await eventually(() => shipped.length === 4);
    expect(shipped.toSorted()).toEqual(['first', 'm0', 'm1', 'm2']);
  });

  test('stops a batch at its time limit, and puts its messages off', async () => {
    const aborted: string[] = [];
    let isSlow = true;
    await messaging.subscribeBatch({
      queue: 'batch.slow',
      messages: [orderPlaced],
      retry: quick,
      timeoutMs: 50,
      handler: async (messages, context) => {
        await note(messages, context);
        if (!isSlow) return;
        await new Promise<void>((resolve) => context.signal.addEventListener('abort', () => resolve()));
        aborted.push(String(context.signal.reason));
      },
    });
    await publish(['slow']);
    await eventually(() => aborted.length >= 2);
    isSlow = false;
    await eventually(async () => (await effects()).length === 1);
    expect(aborted[0]).toContain('longer than 50 ms');
  });

  test('finishes what runs and gives back the rest when it is closed', async () => {
    const { batches, release, subscription } = await consuming('batch.closed', note, { size: 2 });
    await publish(ids(4));
    await eventually(() => subscription.active > 1);
    const closed = subscription.close();
    release();
    await closed;
    expect(batches.flat()).not.toContain('m3');
    expect(await effects()).toEqual(batches.flat());
    await messaging.subscribeBatch({ queue: 'batch.closed', messages: [orderPlaced], handler: note });
    await messaging.settled();
    expect((await effects()).toSorted()).toEqual(['first', ...ids(4)]);
  });

  test('works without an inbox', async () => {
    const seen: string[] = [];
    const plain = await bench.messaging({ exchange: 'batch-plain' });
    await plain.subscribeBatch({
      queue: 'batch.plain',
      messages: [orderPlaced],
      handler: async (messages, { tx }) => void seen.push(...messages.map(({ id }) => `${id} ${tx === undefined}`)),
    });
    await plain.publish(orderPlaced, payload, { id: 'one' });
    await plain.settled();
    expect(seen).toEqual(['one true']);
  });

  test('refuses what cannot be: a size, an inbox without a database, a batch the broker would take back', async () => {
    const subscribe = (options: Partial<BatchOptions<typeof orderPlaced>>, on = messaging) =>
      on.subscribeBatch({
        queue: 'batch.refused',
        messages: [orderPlaced],
        handler: async () => undefined,
        ...options,
      });
    await expect(subscribe({ size: 0 })).rejects.toThrow('size is 0; allowed are 1 to 1000');
    await expect(subscribe({ size: 1_000, timeoutMs: 60_000 })).rejects.toThrow(
      /batch of 1000 .* Lower timeoutMs, size/,
    );
    const plain = await bench.messaging({ exchange: 'batch-plain' });
    await expect(subscribe({ inbox: true }, plain)).rejects.toThrow('got no database');
  });
});
