import type { ChannelModel } from 'amqplib';
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { declaring } from './declare.ts';

/** Of an instance that cannot keep up the oldest are dropped: it must not fill the broker, nor hold publishers up. */
const MAX_LENGTH = 100_000;

/**
 * A queue of this instance alone, gone with its connection. Its name is new each time: the broker may still hold the
 * one of a connection that it has not missed yet.
 */
export async function declareBroadcast(
  model: ChannelModel,
  options: { exchange: string; name: string; routingKeys: readonly string[] },
): Promise<string> {
  const queue = `${options.name}.${hostname()}.${randomUUID()}`;
  await declaring(model, async (channel) => {
    await channel.assertExchange(options.exchange, 'topic', { durable: true });
    await channel.assertQueue(queue, {
      exclusive: true,
      autoDelete: true,
      durable: false,
      arguments: { 'x-queue-type': 'classic', 'x-max-length': MAX_LENGTH, 'x-overflow': 'drop-head' },
    });
    for (const key of options.routingKeys) await channel.bindQueue(queue, options.exchange, key);
  });
  return queue;
}
