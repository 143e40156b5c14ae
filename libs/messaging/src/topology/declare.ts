import type { Channel, ChannelModel } from 'amqplib';
import { delayBinding, delayNext, delayReturn, type DelaySettings } from './delays.ts';
import { explainMismatch } from './mismatch.ts';
import { delayName, parkedQueue, returnExchange } from './names.ts';
import { consumerQueueArguments, delayQueueArguments, parkedQueueArguments, type QueueSettings } from './queue.ts';

/** Runs declarations on a channel of their own: the broker closes the channel of one that fails. */
export async function declaring<T>(model: ChannelModel, work: (channel: Channel) => Promise<T>): Promise<T> {
  const channel = await model.createChannel();
  // The failure arrives as a rejected call too; without a listener Node would throw.
  channel.on('error', () => undefined);
  try {
    const result = await work(channel);
    await channel.close();
    return result;
  } catch (error) {
    throw explainMismatch(error) ?? error;
  }
}

/** The topic exchange every message goes through. Throws TopologyMismatchError. */
export async function declareExchange(channel: Channel, exchange: string): Promise<void> {
  try {
    await channel.assertExchange(exchange, 'topic', { durable: true });
  } catch (error) {
    throw explainMismatch(error) ?? error;
  }
}

/** A consumer's queue with its bindings, its parking lot and its way back from the delay queues. */
export function declareConsumer(
  model: ChannelModel,
  options: {
    exchange: string;
    queue: string;
    routingKeys: readonly string[];
    settings: QueueSettings;
    delays: DelaySettings;
  },
): Promise<void> {
  const { exchange, queue, routingKeys, settings, delays } = options;
  return declaring(model, async (channel) => {
    await channel.assertExchange(exchange, 'topic', { durable: true });
    await channel.assertQueue(parkedQueue(queue), { durable: true, arguments: parkedQueueArguments() });
    await channel.assertQueue(queue, { durable: true, arguments: consumerQueueArguments(queue, settings) });
    for (const key of routingKeys) await channel.bindQueue(queue, exchange, key);
    await declareDelays(channel, delays);
    await channel.bindQueue(queue, returnExchange(delays.unitMs), delayReturn(queue, delays));
  });
}

/** The levels of {@link DelaySettings}, shared by all consumers of a virtual host. */
async function declareDelays(channel: Channel, delays: DelaySettings): Promise<void> {
  const exchange = (name: string): Promise<unknown> => channel.assertExchange(name, 'topic', { durable: true });
  await exchange(returnExchange(delays.unitMs));
  for (let level = 0; level < delays.levels; level += 1) {
    const name = delayName(delays.unitMs, level);
    const next = delayNext(level, delays);
    await exchange(name);
    await channel.assertQueue(name, {
      durable: true,
      arguments: delayQueueArguments(delays.unitMs * 2 ** level, next),
    });
    await channel.bindQueue(name, name, delayBinding(level, '1', delays));
    await channel.bindExchange(next, name, delayBinding(level, '0', delays));
  }
}
