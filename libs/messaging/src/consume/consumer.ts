import type { Channel, ChannelModel, ConsumeMessage } from 'amqplib';
import { setTimeout as pause } from 'node:timers/promises';
import { fullJitter } from '../connection/backoff.ts';
import { within, type AmqpConnection } from '../connection/connection.ts';
import { TopologyMismatchError } from '../errors.ts';
import { messageOf } from '../message-of.ts';
import { Fifo } from '../publish/fifo.ts';
import { declareConsumer } from '../topology/declare.ts';
import type { QueueSettings } from '../topology/queue.ts';
import { Cancellation } from './cancellation.ts';
import { Handling, type HandlingOptions } from './handling.ts';
import type { Subscription, SubscriptionState } from './subscription.ts';

export interface ConsumerOptions extends HandlingOptions {
  connection: AmqpConnection;
  exchange: string;
  concurrency: number;
  prefetch: number;
  settings: QueueSettings;
  /** How often to ask the broker whether it still knows this consumer. */
  checkMs: number;
}

interface Delivery {
  readonly message: ConsumeMessage;
  readonly channel: Channel;
}

/**
 * One queue's consumer on a channel of its own. attaching -> attached when the broker has it; attached -> attaching
 * when the connection or channel is lost, the broker cancels the consumer, or no longer knows it; any -> closed by
 * {@link close} only.
 */
export class Consumer implements Subscription {
  readonly #options: ConsumerOptions;
  readonly #handling: Handling;
  readonly #buffer = new Fifo<Delivery>();
  /** Each run with how to stop it when the broker has taken the message back. */
  readonly #running = new Map<Promise<void>, Cancellation>();
  readonly #closing = new Cancellation();
  readonly #unlisten: () => void;
  #channel: Channel | undefined;
  #tag = '';
  #state: SubscriptionState = 'attaching';
  #check: NodeJS.Timeout | undefined;
  /** Counts attachments that began, so that only the latest goes on. */
  #generation = 0;

  constructor(options: ConsumerOptions) {
    this.#options = options;
    this.#handling = new Handling(options);
    this.#unlisten = options.connection.listen({
      connected: (model) => void this.#attachUntilDone(model),
      lost: () => this.#detach('the connection was lost'),
    });
  }

  get queue(): string {
    return this.#options.queue;
  }

  get state(): SubscriptionState {
    return this.#state;
  }

  get active(): number {
    return this.#running.size;
  }

  /** Handed over by the broker and not yet begun. */
  get buffered(): number {
    return this.#buffer.length;
  }

  /** First attachment. Throws TopologyMismatchError; without a connection it resolves, and attaches once there is one. */
  async start(): Promise<void> {
    const { model } = this.#options.connection;
    if (model === undefined) return;
    try {
      await this.#attach(model, (this.#generation += 1));
    } catch (error) {
      if (error instanceof TopologyMismatchError) {
        await this.close(0);
        throw error;
      }
      void this.#attachUntilDone(model);
    }
  }

  async close(drainMs = 25_000): Promise<void> {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#unlisten();
    clearInterval(this.#check);
    const channel = this.#channel;
    if (channel !== undefined) await within(2_000, channel.cancel(this.#tag));
    for (let next = this.#buffer.shift(); next !== undefined; next = this.#buffer.shift()) giveBack(next);
    this.#closing.cancel(new Error('the subscription is closing'));
    await within(drainMs, Promise.all(this.#running.keys()));
    if (this.#running.size > 0) {
      const abandoned = this.#running.size;
      this.#options.log.warn(
        { queue: this.queue, abandoned },
        'handlers did not end in time; their messages come again',
      );
      for (const lost of this.#running.values()) lost.cancel(new Error('the process is shutting down'));
    }
    this.#channel = undefined;
    if (channel !== undefined) await within(2_000, channel.close());
  }

  async #attachUntilDone(model: ChannelModel): Promise<void> {
    const generation = (this.#generation += 1);
    for (let attempt = 0; this.#isCurrent(model, generation); attempt += 1) {
      try {
        return await this.#attach(model, generation);
      } catch (error) {
        if (!this.#isCurrent(model, generation)) return;
        if (attempt % 10 === 0)
          this.#options.log.error({ queue: this.queue, error: messageOf(error) }, 'cannot consume; trying again');
        await pause(fullJitter(attempt, { baseMs: 100, capMs: 5_000 }));
      }
    }
  }

  #isCurrent(model: ChannelModel, generation: number): boolean {
    return this.#state !== 'closed' && this.#options.connection.model === model && this.#generation === generation;
  }

  async #attach(model: ChannelModel, generation: number): Promise<void> {
    const { exchange, queue, messages, settings, delays, prefetch } = this.#options;
    const routingKeys = messages.map((message) => message.routingKey);
    await declareConsumer(model, { exchange, queue, routingKeys, settings, delays });
    const channel = await model.createChannel();
    channel.on('error', (error) =>
      this.#options.log.warn({ queue, error: messageOf(error) }, 'consuming channel closed by the broker'),
    );
    channel.on('close', () => setImmediate(() => this.#again(channel, model, 'the channel was closed')));
    await channel.prefetch(prefetch);
    const { consumerTag } = await channel.consume(queue, (message) => this.#delivered(channel, model, message));
    if (!this.#isCurrent(model, generation)) return within(2_000, channel.close());
    this.#channel = channel;
    this.#tag = consumerTag;
    this.#state = 'attached';
    clearInterval(this.#check);
    this.#check = setInterval(() => void this.#checkAttached(channel, model), this.#options.checkMs).unref();
  }

  /** A connection can look healthy while the broker has lost the consumer: ask it. */
  async #checkAttached(channel: Channel, model: ChannelModel): Promise<void> {
    let consumers: number | undefined;
    // A missing queue closes the channel, which attaches again by itself.
    const asking = channel.checkQueue(this.queue).then((reply) => (consumers = reply.consumerCount));
    await within(5_000, asking);
    if (consumers !== 0 || this.#channel !== channel) return;
    this.#options.log.warn({ queue: this.queue }, 'the broker does not know this consumer any more; attaching again');
    this.#again(channel, model, 'the broker lost the consumer');
    await within(2_000, channel.close());
  }

  #again(channel: Channel, model: ChannelModel, reason: string): void {
    if (this.#channel !== channel || this.#state === 'closed') return;
    this.#detach(reason);
    void this.#attachUntilDone(model);
  }

  /** The broker delivers everything unsettled again: what waits here is stale, what runs no longer counts. */
  #detach(reason: string): void {
    this.#channel = undefined;
    clearInterval(this.#check);
    if (this.#state === 'attached') this.#state = 'attaching';
    this.#buffer.removeIf(() => true);
    for (const lost of this.#running.values()) lost.cancel(new Error(`the broker took the message back: ${reason}`));
  }

  #delivered(channel: Channel, model: ChannelModel, message: ConsumeMessage | null): void {
    if (message === null) {
      // basic.cancel: the queue was deleted or lost its leader.
      this.#options.log.warn({ queue: this.queue }, 'the broker cancelled the consumer; attaching again');
      this.#again(channel, model, 'the consumer was cancelled');
      void within(2_000, channel.close());
      return;
    }
    this.#buffer.push({ message, channel });
    this.#pump();
  }

  #pump(): void {
    // Given back all together once the broker sends no more: given back now, they would come again at once.
    if (this.#state === 'closed') return;
    while (this.#running.size < this.#options.concurrency) {
      const next = this.#buffer.shift();
      if (next === undefined) return;
      const lost = new Cancellation();
      const run = this.#run(next, lost)
        .catch((error: unknown) =>
          this.#options.log.error({ queue: this.queue, error: messageOf(error) }, 'a delivery could not be settled'),
        )
        .finally(() => {
          this.#running.delete(run);
          this.#pump();
        });
      this.#running.set(run, lost);
    }
  }

  async #run(delivery: Delivery, lost: Cancellation): Promise<void> {
    const settlement = await this.#handling.process(delivery.message, lost, this.#closing);
    if (settlement === 'ack') settle(() => delivery.channel.ack(delivery.message));
    else if (settlement === 'give-back') giveBack(delivery);
  }
}

const giveBack = (delivery: Delivery): void => settle(() => delivery.channel.nack(delivery.message, false, true));

/** On a closed channel there is nothing to settle: the broker has taken the message back already. */
function settle(action: () => void): void {
  try {
    action();
  } catch (error) {
    if ((error as Error).name !== 'IllegalOperationError') throw error;
  }
}
