import type { Channel, ChannelModel } from 'amqplib';
import type { Log } from '@keelson/persistence';
import { TopologyMismatchError } from '../errors.ts';
import { applyDifferences, listOf } from './apply.ts';
import { declareExchange, declareTopology, declaring } from './declare.ts';
import type { DelaySettings } from './delays.ts';
import type { ManagementApi } from './management.ts';
import { readTopology } from './read.ts';
import { delayTopology, eventBindings, isOfEvents, type Needs, topologyOf, type Topology } from './topology.ts';

/**
 * `declare`: make at start what is missing (development). `verify`: make nothing, start only where everything is as it
 * must be (production; `keelson messages apply` makes it).
 */
export type TopologyMode = 'declare' | 'verify';

export interface KeeperOptions {
  readonly exchange: string;
  readonly delays: DelaySettings;
  readonly mode: TopologyMode;
  /** Where there is one, limits are policies and everything that differs is told at once. */
  readonly management: ManagementApi | undefined;
  readonly log: Log;
}

/** Sees to it that what a program needs is on the broker, in the way its mode says. */
export class TopologyKeeper {
  readonly #options: KeeperOptions;

  constructor(options: KeeperOptions) {
    this.#options = options;
  }

  /** Throws TopologyMismatchError where the exchange is of another kind or, in mode `verify`, not there. */
  async exchange(channel: Channel, model: ChannelModel): Promise<void> {
    const { mode, exchange } = this.#options;
    if (mode === 'declare') await declareExchange(channel, exchange);
    else await this.#verify(model, topologyOf([], this.#options));
  }

  /** Throws TopologyMismatchError with everything that is not as these consumers need it. */
  async queues(model: ChannelModel, needs: readonly Needs[]): Promise<void> {
    if (needs.length === 0) return;
    await this.#ensure(model, topologyOf(needs, this.#options));
    if (this.#options.mode === 'declare') await this.#unbindOutdated(model, needs);
  }

  /** From before a queue had one for what is urgent beside it: bound directly, too, it would get everything twice. */
  async #unbindOutdated(model: ChannelModel, needs: readonly Needs[]): Promise<void> {
    const outdated = needs
      .filter(isOfEvents)
      .filter(({ withHigh }) => withHigh === true)
      .flatMap((need) => eventBindings(need, this.#options));
    if (outdated.length === 0) return;
    await declaring(model, async (channel) => {
      for (const { destination, source, routingKey } of outdated)
        await channel.unbindQueue(destination, source, routingKey);
    });
  }

  /** The delay levels alone, for who publishes with a delay and consumes nothing. Throws TopologyMismatchError. */
  async delays(model: ChannelModel): Promise<void> {
    await this.#ensure(model, delayTopology(this.#options.delays));
  }

  async #ensure(model: ChannelModel, topology: Topology): Promise<void> {
    const { mode, management } = this.#options;
    if (mode === 'verify') await this.#verify(model, topology);
    else if (management === undefined) await declareTopology(model, topology);
    else await this.#makeFit(model, topology, management);
  }

  async #verify(model: ChannelModel, topology: Topology): Promise<void> {
    const { management, log } = this.#options;
    const { source, differences, unknown } = await readTopology(model, topology, management);
    if (differences.length > 0) {
      throw new TopologyMismatchError(
        `the broker is not as this program needs it (read by ${source}), and mode verify changes nothing:${listOf(differences)}`,
      );
    }
    if (unknown.length > 0) log.info({ source, unknown }, 'the topology fits as far as it could be seen');
  }

  async #makeFit(model: ChannelModel, topology: Topology, management: ManagementApi): Promise<void> {
    const { differences } = await readTopology(model, topology, management);
    const { left } = await applyDifferences(model, differences, { management, topology });
    if (left.length > 0) throw new TopologyMismatchError(`the broker is not as this program needs it:${listOf(left)}`);
  }
}
