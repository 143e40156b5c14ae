import { eventually } from '@keelson/testing';
import { connect, type Options } from 'amqplib';
import { Messaging, parkingLot } from '../src/index.ts';
import { orderPlaced } from './messages.ts';
import { Workbench } from './service.ts';

const body = JSON.stringify({ orderId: 'o', amount: 1 });
const retry = { attempts: 3, quickDelaysMs: [], firstDelayMs: 100, maxDelayMs: 100 };

describe('a message that another program made', () => {
  let bench: Workbench;
  let messaging: Messaging;
  let serial = 0;
  beforeAll(async () => {
    bench = await Workbench.open();
    messaging = await bench.messaging();
  });
  afterAll(() => bench.close());

  /** Subscribes a handler that fails so many times, and sends it the message past the library. */
  const send = async (message: Options.Publish, failures: number, content = body) => {
    const queue = `foreign.queue-${(serial += 1)}`;
    const attempts: number[] = [];
    await messaging.subscribe({
      queue,
      messages: [orderPlaced],
      retry,
      handler: async (_message, { attempt }) => {
        attempts.push(attempt);
        if (attempts.length <= failures) throw new Error('not yet');
      },
    });
    const connection = await connect(bench.vhost.amqpUrl);
    const channel = await connection.createConfirmChannel();
    channel.sendToQueue(queue, Buffer.from(content), message);
    await channel.waitForConfirms();
    await connection.close();
    return { queue, attempts };
  };
  const parkedIn = (queue: string) =>
    eventually(async () => {
      const [parked] = await parkingLot.list(messaging, queue);
      return parked;
    });

  test('with its type as AMQP property only is still understood when it is tried again', async () => {
    const { attempts } = await send({ type: orderPlaced.type, messageId: 'plain' }, 2);
    await eventually(() => attempts.length === 3);
    expect(attempts).toEqual([1, 2, 3]);
    await messaging.settled();
  });

  test('with counters that are none uses up its attempts like any other', async () => {
    const headers = {
      'keelson-attempts': 'many',
      'keelson-first-failed-at': 'yesterday',
      'keelson-redrive-count': 'x',
    };
    const { queue, attempts } = await send({ type: orderPlaced.type, messageId: 'counted', headers }, 100);
    expect(await parkedIn(queue)).toMatchObject({ id: 'counted', code: 'attempts-exhausted', attempts: 3 });
    expect(attempts).toEqual([1, 2, 3]);
    expect(await parkingLot.redrive(messaging, queue)).toMatchObject({ done: 1 });
    expect(await parkedIn(queue)).toMatchObject({ redriveCount: 1 });
  });

  test('that nobody understands is parked as it came: bytes, properties and headers', async () => {
    const message = {
      type: 'their.type',
      contentType: 'image/png',
      correlationId: 'c',
      headers: { theirs: [1, 'two'] },
    };
    const { queue } = await send({ ...message, messageId: 'odd' }, 0, '\u0089PNG');
    await parkedIn(queue);
    const [found] = await bench.vhost.management(`/api/queues/${bench.vhost.vhost}/${queue}.parked/get`, {
      method: 'POST',
      body: { count: 1, ackmode: 'ack_requeue_true', encoding: 'auto' },
    });
    expect(found.payload).toBe('\u0089PNG');
    expect(found.properties).toMatchObject({
      type: 'their.type',
      content_type: 'image/png',
      correlation_id: 'c',
      message_id: 'odd',
      headers: { theirs: [1, 'two'], 'keelson-code': 'unknown-message' },
    });
  });

  test('with headers so large that none can be added is parked by the broker, and takes no connection along', async () => {
    const before = messaging.health();
    const { queue } = await send({ messageId: 'heavy', headers: { theirs: 'x'.repeat(65_400) } }, 0);
    expect(await parkedIn(queue)).toMatchObject({ id: 'heavy', code: 'delivery_limit' });
    expect(messaging.health().publishing).toEqual(before.publishing);
  });
});
