import type { Channel, ChannelModel } from 'amqplib';
import { explainMismatch } from './mismatch.ts';
import type { BindingPart, ExchangePart, Topology } from './topology.ts';

/** Runs declarations on a channel of their own: the broker closes the channel of one that fails. */
export async function declaring<T>(
  model: ChannelModel,
  work: (channel: Channel) => Promise<T>,
  topology?: Topology,
): Promise<T> {
  const channel = await model.createChannel();
  // The failure arrives as a rejected call too; without a listener Node would throw.
  channel.on('error', () => undefined);
  try {
    const result = await work(channel);
    await channel.close();
    return result;
  } catch (error) {
    throw explainMismatch(error, topology) ?? error;
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

/** Makes what is missing, with limits as arguments. Throws TopologyMismatchError at the first part that is otherwise. */
export function declareTopology(model: ChannelModel, topology: Topology): Promise<void> {
  return declaring(
    model,
    async (channel) => {
      for (const exchange of topology.exchanges) await assertExchange(channel, exchange);
      for (const queue of topology.queues)
        await channel.assertQueue(queue.name, { durable: true, arguments: queue.arguments });
      for (const binding of topology.bindings) await bind(channel, binding);
    },
    topology,
  );
}

export async function bind(channel: Channel, part: BindingPart): Promise<void> {
  const { source, destination, to, routingKey } = part;
  if (to === 'queue') await channel.bindQueue(destination, source, routingKey, part.arguments);
  else await channel.bindExchange(destination, source, routingKey);
}

/** Makes an exchange, or fails with 406 where it is there and otherwise. */
export async function assertExchange(channel: Channel, { name, type, alternate }: ExchangePart): Promise<void> {
  await channel.assertExchange(name, type, {
    durable: true,
    ...(alternate === undefined ? {} : { alternateExchange: alternate }),
  });
}
