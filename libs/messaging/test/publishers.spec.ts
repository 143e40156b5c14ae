import { AmqpConnection } from '../src/connection/connection.ts';
import { encode } from '../src/envelope/encode.ts';
import { Publishers } from '../src/publish/publishers.ts';
import { orderPlaced } from './messages.ts';
import { memoryLog, Workbench } from './service.ts';

describe('the pool of confirm channels', () => {
  let bench: Workbench;
  beforeAll(async () => (bench = await Workbench.open()));
  afterAll(() => bench.close());

  const open = async (prepare: () => void = () => undefined) => {
    const log = memoryLog();
    const connection = new AmqpConnection({
      url: bench.vhost.amqpUrl,
      service: 'pool',
      purpose: 'publish',
      heartbeatSeconds: 10,
      connectTimeoutMs: 5_000,
      reconnect: { baseMs: 100, capMs: 1_000 },
      log,
    });
    const publishers = new Publishers({
      connection,
      prepare: async (channel) => {
        prepare();
        await channel.assertExchange('pool.events', 'topic', { durable: true });
      },
      window: 100,
      windowBytes: 1_048_576,
      waiting: 10_000,
      waitingBytes: 16 * 1_048_576,
      onLoss: 'reject',
      log,
    });
    await connection.start();
    return { publishers, close: () => publishers.close().then(() => connection.close()) };
  };
  const envelope = () => encode(orderPlaced, { orderId: 'o', amount: 1 }, { source: 'test', maxBytes: 1_000 });

  test('an exchange that is not there costs the channel it was published on, and none of the others their messages', async () => {
    const { publishers, close } = await open();
    const options = { mandatory: false, deadlineMs: 15_000 };
    const copies = Array.from({ length: 2_000 }, () => publishers.copies.publish('pool.events', envelope(), options));
    await expect(publishers.direct.publish('no-such-exchange', envelope(), options)).rejects.toThrow(/NOT_FOUND/);
    expect((await Promise.allSettled(copies)).filter(({ status }) => status === 'rejected')).toEqual([]);
    await publishers.direct.publish('pool.events', envelope(), { ...options, deadlineMs: 10_000 });
    await close();
  });

  test('what a connection needs is asked for once, not by each channel', async () => {
    let asked = 0;
    const { publishers, close } = await open(() => (asked += 1));
    expect(publishers.ready).toBe(true);
    expect(asked).toBe(1);
    await close();
  });
});
