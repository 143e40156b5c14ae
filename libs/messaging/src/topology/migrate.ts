import type { Channel, ChannelModel, ConfirmChannel } from 'amqplib';
import { TopologyMismatchError } from '../errors.ts';
import { messageOf } from '../message-of.ts';
import { applyDifferences } from './apply.ts';
import { bind, declaring } from './declare.ts';
import type { ManagementApi } from './management.ts';
import { migratingQueue } from './names.ts';
import { parkedQueueArguments } from './queue.ts';
import type { BindingPart, QueuePart, Topology } from './topology.ts';

export interface Migrated {
  readonly queue: string;
  /** Messages that were moved from the old queue to the new one. */
  readonly moved: number;
}

/**
 * Makes a queue anew with other properties and keeps its messages. They wait meanwhile in `<queue>.migrating`, which takes
 * over the queue's bindings first, so that nothing published meanwhile is missed; in the moment in which both are bound a
 * message may reach both, with the same id. Each step can be repeated: after a crash the same call goes on where it ended.
 * Throws TopologyMismatchError while the queue has consumers, since they would take what is being moved.
 */
export async function migrateQueue(
  model: ChannelModel,
  topology: Topology,
  queue: string,
  management?: ManagementApi,
): Promise<Migrated> {
  const part = topology.queues.find(({ name }) => name === queue);
  if (part === undefined) {
    const names = topology.queues.filter(({ role }) => role !== 'delay').map(({ name }) => name);
    throw new TopologyMismatchError(`queue ${queue} is not one of this topology: ${names.join(', ')}`);
  }
  if (part.role === 'stream') {
    throw new TopologyMismatchError(
      `stream ${queue} cannot be made anew with its messages: subscribe under another name, and delete this one when all have read it`,
    );
  }
  const holding = migratingQueue(queue);
  const bindings = topology.bindings.filter(({ to, destination }) => to === 'queue' && destination === queue);
  const there = await state(model, queue);
  const begun = await state(model, holding);
  if (there !== undefined && there.consumers > 0) {
    throw new TopologyMismatchError(
      `queue ${queue} has ${there.consumers} consumers: stop them, migrate, and start them again`,
    );
  }
  await declaring(model, async (channel) => {
    await channel.assertQueue(holding, { durable: true, arguments: parkedQueueArguments() });
    for (const binding of bindings) await bind(channel, { ...binding, destination: holding });
  });
  // What is there with the right properties was made by a migration that ended in the middle.
  if (there !== undefined && !(begun !== undefined && (await fits(model, part)))) {
    await declaring(model, async (channel) => {
      for (const binding of bindings) await unbind(channel, binding);
    });
    await moveAll(model, queue, holding);
    await declaring(model, (channel) => channel.deleteQueue(queue));
  }
  const missing = [
    { kind: 'queue-missing', part } as const,
    ...bindings.map((binding) => ({ kind: 'binding-missing', part: binding }) as const),
  ];
  await applyDifferences(model, missing, { management, topology });
  await declaring(model, async (channel) => {
    for (const binding of bindings) await unbind(channel, { ...binding, destination: holding });
  });
  const moved = await moveAll(model, holding, queue);
  await declaring(model, (channel) => channel.deleteQueue(holding));
  return { queue, moved };
}

/** undefined where there is no such queue. */
async function state(model: ChannelModel, queue: string): Promise<{ consumers: number } | undefined> {
  try {
    const { consumerCount } = await declaring(model, (channel) => channel.checkQueue(queue));
    return { consumers: consumerCount };
  } catch (error) {
    if (/NOT[-_]FOUND/.test(messageOf(error))) return undefined;
    throw error;
  }
}

async function fits(model: ChannelModel, part: QueuePart): Promise<boolean> {
  try {
    await declaring(model, (channel) => channel.assertQueue(part.name, { durable: true, arguments: part.arguments }));
    return true;
  } catch {
    return false; // 406: it is still the old one
  }
}

async function unbind(channel: Channel, { source, destination, routingKey }: BindingPart): Promise<void> {
  await channel.unbindQueue(destination, source, routingKey);
}

/** Each message leaves `from` once the broker has stored it in `to`. */
async function moveAll(model: ChannelModel, from: string, to: string): Promise<number> {
  const channel: ConfirmChannel = await model.createConfirmChannel();
  let failure: Error | undefined;
  channel.on('error', (error) => (failure = error));
  let moved = 0;
  try {
    for (;;) {
      const message = await channel.get(from, { noAck: false });
      if (message === false) break;
      channel.publish('', to, message.content, { ...message.properties, deliveryMode: 2, mandatory: true });
      await channel.waitForConfirms();
      channel.ack(message);
      moved += 1;
    }
    await channel.close();
    return moved;
  } catch (error) {
    throw new TopologyMismatchError(
      `moving messages from ${from} to ${to} ended after ${moved}: ${messageOf(failure ?? error)}. Nothing is lost; run it again`,
      { cause: error },
    );
  }
}
