import type { Channel, ChannelModel } from 'amqplib';
import { messageOf } from '../message-of.ts';
import { compare, type Found } from './compare.ts';
import { assertExchange } from './declare.ts';
import type { Difference } from './difference.ts';
import type { ManagementApi } from './management.ts';
import { differenceOf, mismatchIn } from './mismatch.ts';
import { migratingQueue } from './names.ts';
import type { Topology } from './topology.ts';

/** How the broker was read, what differs, and what could not be seen that way. */
export interface TopologyReport {
  readonly source: 'management' | 'amqp';
  readonly differences: readonly Difference[];
  /** In words; empty where everything was seen. */
  readonly unknown: readonly string[];
}

/** Compares the broker with what is needed; makes and changes nothing. */
export async function readTopology(
  model: ChannelModel,
  wanted: Topology,
  management: ManagementApi | undefined,
): Promise<TopologyReport> {
  if (management === undefined) return readByAmqp(model, wanted);
  return { source: 'management', differences: compare(wanted, await found(management)), unknown: [] };
}

export async function found(management: ManagementApi): Promise<Found> {
  const [exchanges, queues, bindings, policies] = await Promise.all([
    management.exchanges(),
    management.queues(),
    management.bindings(),
    management.policies(),
  ]);
  return { exchanges, queues, bindings, policies };
}

/**
 * AMQP has no way to read properties. A passive declare tells whether a part is there; declaring what is there with the
 * properties it should have makes nothing, and fails with 406 where one differs. Bindings cannot be asked for at all.
 */
async function readByAmqp(model: ChannelModel, wanted: Topology): Promise<TopologyReport> {
  const differences: Difference[] = [];
  const unknown: string[] = [];
  const asking = new Asking(model);
  const look = async (name: string, missing: Difference, ask: Ask, assert: Ask): Promise<void> => {
    const there = await asking.run(ask);
    if (there.failed === undefined) {
      const same = await asking.run(assert);
      if (same.failed === undefined) return;
      const mismatch = mismatchIn(same.failed);
      if (mismatch !== undefined) differences.push(differenceOf(mismatch, wanted));
      else unknown.push(`the properties of ${name}: ${messageOf(same.failed)}`);
    } else if (/NOT[-_]FOUND/.test(messageOf(there.failed))) differences.push(missing);
    else unknown.push(`${name}: ${messageOf(there.failed)}`);
  };
  try {
    for (const part of wanted.exchanges) {
      await look(
        `exchange ${part.name}`,
        { kind: 'exchange-missing', part },
        (channel) => channel.checkExchange(part.name),
        (channel) => assertExchange(channel, part),
      );
    }
    for (const part of wanted.queues) {
      const held = await asking.run((channel) => channel.checkQueue(migratingQueue(part.name)));
      if (held.failed === undefined) differences.push({ kind: 'migration-unfinished', part });
      else {
        await look(
          `queue ${part.name}`,
          { kind: 'queue-missing', part },
          (channel) => channel.checkQueue(part.name),
          (channel) => channel.assertQueue(part.name, { durable: true, arguments: part.arguments }),
        );
      }
    }
  } finally {
    await asking.close();
  }
  unknown.push('bindings, and limits set by policies: AMQP cannot tell; a management URL can');
  return { source: 'amqp', differences, unknown };
}

type Ask = (channel: Channel) => Promise<unknown>;

/** Asks on one channel for as long as the broker leaves it open: it closes the channel of every question it refuses. */
class Asking {
  readonly #model: ChannelModel;
  #channel: Channel | undefined;

  constructor(model: ChannelModel) {
    this.#model = model;
  }

  async run(ask: Ask): Promise<{ failed?: unknown }> {
    if (this.#channel === undefined) {
      this.#channel = await this.#model.createChannel();
      this.#channel.on('error', () => undefined);
    }
    try {
      await ask(this.#channel);
      return {};
    } catch (failed) {
      this.#channel = undefined;
      return { failed };
    }
  }

  async close(): Promise<void> {
    await this.#channel?.close();
  }
}
