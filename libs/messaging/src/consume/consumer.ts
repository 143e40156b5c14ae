import type { Log } from '@keelson/persistence';
import type { Channel, ChannelModel, ConsumeMessage } from 'amqplib';
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { fullJitter } from '../connection/backoff.ts';
import { within, type AmqpConnection } from '../connection/connection.ts';
import { TopologyMismatchError, UnsupportedByBrokerError } from '../errors.ts';
import { messageOf } from '../message-of.ts';
import type { Instruments } from '../observe/instruments.ts';
import { Cancellation } from './cancellation.ts';
import type { CircuitBreakerOptions } from './circuit-breaker.ts';
import { RunningCircuit } from './circuit.ts';
import type { Settlement } from './handling.ts';
import { Lanes, type Entry } from './lanes.ts';
import type { ReattachReason, Subscription, SubscriptionState } from './subscription.ts';

/** What is known of a delivery before its turn. */
export interface Opening {
  /** Deliveries with the same key are handled one after the other. */
  readonly key: string | undefined;
}

/** From a delivery to what to tell the broker. Knows no channel. */
export interface Processor<O extends Opening> {
  open(delivery: ConsumeMessage): O;
  /** `lost` when the broker took the message back, `closing` when the program wants to end. Never throws for a message. */
  process(
    opened: O,
    lost: Cancellation,
    closing: Cancellation,
    report?: (outcome: 'handled' | 'failed') => void,
  ): Promise<Settlement>;
}

export interface ConsumerOptions<O extends Opening> {
  connection: AmqpConnection;
  /** As people know it: in logs, metrics and health. */
  queue: string;
  /** Makes sure that there is a queue, on each connection anew; returns the name to consume from. */
  declare(model: ChannelModel): Promise<string>;
  processor: Processor<O>;
  concurrency: number;
  prefetch: number;
  /** Deliveries are opened as they come and not at their turn, since their key decides on it. */
  opensEarly: boolean;
  /** What is given back has to come back in order. */
  holds: boolean;
  circuitBreaker: CircuitBreakerOptions | undefined;
  /** Of basic.consume, asked anew for each attachment. */
  consumeArguments?: () => Promise<Record<string, unknown>>;
  /** How often to ask the broker whether it still knows this consumer; undefined where it does not say. */
  checkMs: number | undefined;
  /** What was handled stays in it: it is never empty. */
  keepsMessages?: boolean;
  instruments: Instruments;
  log: Log;
}

interface Delivery<O> {
  readonly message: ConsumeMessage;
  readonly channel: Channel;
  readonly opened?: O;
}

/**
 * One queue's consumer on a channel of its own. attaching -> attached when the broker has it; attached -> attaching
 * when the connection or channel is lost, the broker cancels the consumer, or no longer knows it; any -> closed by
 * {@link close} only.
 */
export class Consumer<O extends Opening = Opening> implements Subscription {
  readonly #options: ConsumerOptions<O>;
  readonly #circuit: RunningCircuit | undefined;
  /** One for each attachment: what ends late says nothing about the next. */
  #lanes = new Lanes<Delivery<O>>();
  /** Each run with how to stop it when the broker has taken the message back. */
  readonly #running = new Map<Promise<void>, Cancellation>();
  readonly #closing = new Cancellation();
  readonly #unlisten: () => void;
  #channel: Channel | undefined;
  #tag = '';
  /** As the broker knows the queue. */
  #source: string;
  #state: SubscriptionState = 'attaching';
  #switching: Promise<void> = Promise.resolve();
  #check: NodeJS.Timeout | undefined;
  /** Counts attachments that began, so that only the latest goes on. */
  #generation = 0;

  constructor(options: ConsumerOptions<O>) {
    this.#options = options;
    this.#source = options.queue;
    if (options.circuitBreaker !== undefined)
      this.#circuit = new RunningCircuit(options.circuitBreaker, ({ state }) => this.#circuitChanged(state));
    this.#unlisten = options.connection.listen({
      connected: (model) => void this.#attachUntilDone(model),
      lost: () => {
        if (this.#state === 'attached') this.#count('connection');
        this.#detach('the connection was lost');
      },
    });
  }

  get queue(): string {
    return this.#options.queue;
  }

  /** The queue's name on the broker. */
  get source(): string {
    return this.#source;
  }

  get keepsMessages(): boolean {
    return this.#options.keepsMessages === true;
  }

  get state(): SubscriptionState {
    return this.#state;
  }

  get active(): number {
    return this.#running.size;
  }

  /** Handed over by the broker and not yet begun. */
  get buffered(): number {
    return this.#lanes.length;
  }

  get circuit(): Subscription['circuit'] {
    return this.#circuit?.state ?? 'closed';
  }

  /** First attachment. Throws TopologyMismatchError and UnsupportedByBrokerError; without a connection it resolves, and attaches once there is one. */
  async start(): Promise<void> {
    const { model } = this.#options.connection;
    if (model === undefined) return;
    try {
      await this.#attach(model, (this.#generation += 1));
    } catch (error) {
      if (error instanceof TopologyMismatchError || error instanceof UnsupportedByBrokerError) {
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
    this.#circuit?.stop();
    clearInterval(this.#check);
    const channel = this.#channel;
    // One that keeps order gives all back at once, by closing the channel: cancelled now, another consumer would get
    // what comes next while the one before still runs here, and what is given back piece by piece comes back in pieces.
    if (!this.#options.holds) {
      if (channel !== undefined) await within(2_000, channel.cancel(this.#tag));
      for (const delivery of this.#lanes.clear()) giveBack(delivery);
    }
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
    const { queue } = this.#options;
    this.#source = await this.#options.declare(model);
    const channel = await model.createChannel();
    let failure = '';
    channel.on('error', (error) => {
      failure = messageOf(error);
      this.#options.log.warn({ queue, error: failure }, 'consuming channel closed by the broker');
    });
    channel.on('close', () =>
      setImmediate(() => this.#again(channel, model, isTimeout(failure) ? 'acknowledgement-timeout' : 'channel')),
    );
    if (!this.#isCurrent(model, generation)) return within(2_000, channel.close());
    this.#channel = channel;
    try {
      await this.#consume(channel, model);
    } catch (error) {
      if (this.#channel === channel) this.#channel = undefined;
      await within(2_000, channel.close());
      throw error;
    }
    if (!this.#isCurrent(model, generation)) return within(2_000, channel.close());
    this.#state = 'attached';
    clearInterval(this.#check);
    const { checkMs } = this.#options;
    if (checkMs !== undefined)
      this.#check = setInterval(() => void this.#checkAttached(channel, model), checkMs).unref();
  }

  /** Takes messages as the circuit allows: none while it is open, one at a time when half-open. */
  async #consume(channel: Channel, model: ChannelModel): Promise<void> {
    const { prefetch, consumeArguments } = this.#options;
    if (this.circuit === 'open') return;
    // Holds for consumers that begin after it.
    await channel.prefetch(this.circuit === 'half-open' ? 1 : prefetch);
    const tag = `${hostname()}-${process.pid}-${randomUUID()}`;
    this.#tag = tag;
    await channel.consume(this.#source, (message) => this.#delivered(channel, model, tag, message), {
      consumerTag: tag,
      ...(consumeArguments && { arguments: await consumeArguments() }),
    });
  }

  #circuitChanged(state: Subscription['circuit']): void {
    const { queue, instruments, log } = this.#options;
    instruments.circuitOpen.set({ queue }, state === 'closed' ? 0 : 1);
    log.warn({ queue, state }, circuitSays[state]);
    const channel = this.#channel;
    const { model } = this.#options.connection;
    if (channel === undefined || model === undefined || this.#state === 'closed') return;
    this.#switching = this.#switching
      .then(() => this.#switch(channel, model))
      .catch((error: unknown) => {
        // Where the channel is gone it is opened anew, in the state the circuit is then in.
        log.warn({ queue, error: messageOf(error) }, 'the consumer could not follow its circuit breaker');
        if (this.#channel === channel) this.#again(channel, model, 'channel');
        void within(2_000, channel.close());
      });
  }

  async #switch(channel: Channel, model: ChannelModel): Promise<void> {
    if (this.#channel !== channel) return;
    const tag = this.#tag;
    this.#tag = '';
    if (tag !== '') await channel.cancel(tag);
    for (const delivery of this.#lanes.clear()) giveBack(delivery);
    if (this.#channel === channel && this.#state === 'attached') await this.#consume(channel, model);
  }

  /** A connection can look healthy while the broker has lost the consumer: ask it. */
  async #checkAttached(channel: Channel, model: ChannelModel): Promise<void> {
    if (this.circuit === 'open') return;
    let consumers: number | undefined;
    // A missing queue closes the channel, which attaches again by itself.
    const asking = channel.checkQueue(this.#source).then((reply) => (consumers = reply.consumerCount));
    await within(5_000, asking);
    if (consumers !== 0 || this.#channel !== channel || this.circuit !== 'closed') return;
    this.#options.log.warn({ queue: this.queue }, 'the broker does not know this consumer any more; attaching again');
    this.#again(channel, model, 'unknown-to-broker');
    await within(2_000, channel.close());
  }

  /** One way for all that can happen to a consumer: its runs are aborted, it attaches again, and it is counted. */
  #again(channel: Channel, model: ChannelModel, reason: ReattachReason): void {
    if (this.#channel !== channel || this.#state === 'closed') return;
    this.#count(reason);
    this.#detach(lostBy[reason]);
    void this.#attachUntilDone(model);
  }

  #count(reason: ReattachReason): void {
    this.#options.instruments.reattached.inc({ queue: this.queue, reason });
  }

  /** The broker delivers everything unsettled again: what waits here is stale, what runs no longer counts. */
  #detach(reason: string): void {
    this.#channel = undefined;
    this.#tag = '';
    clearInterval(this.#check);
    if (this.#state === 'attached') this.#state = 'attaching';
    this.#lanes = new Lanes();
    for (const lost of this.#running.values()) lost.cancel(new Error(`the broker took the message back: ${reason}`));
  }

  #delivered(channel: Channel, model: ChannelModel, tag: string, message: ConsumeMessage | null): void {
    if (message === null) {
      // basic.cancel: the queue was deleted or lost its leader.
      this.#options.log.warn({ queue: this.queue }, 'the broker cancelled the consumer; attaching again');
      this.#again(channel, model, 'cancelled');
      void within(2_000, channel.close());
      return;
    }
    if (this.#channel !== channel) return;
    // Under way while the consumer was being cancelled: nobody waits for it here any more.
    if (this.#tag !== tag && this.#state !== 'closed') return giveBack({ message, channel });
    const opened = this.#options.opensEarly ? this.#options.processor.open(message) : undefined;
    this.#lanes.push({ message, channel, ...(opened && { opened }) }, opened?.key);
    this.#pump();
  }

  #pump(): void {
    // Given back all together once the broker sends no more: given back now, they would come again at once.
    // The same holds for an open circuit, where what waits here is given back as soon as the consumer is cancelled.
    if (this.#state === 'closed' || this.circuit === 'open') return;
    const most = this.circuit === 'half-open' ? 1 : this.#options.concurrency;
    while (this.#running.size < most) {
      const lanes = this.#lanes;
      const next = lanes.next();
      if (next === undefined) return;
      const lost = new Cancellation();
      const ended = (): void => {
        this.#running.delete(run);
        lanes.done(next);
        this.#pump();
      };
      const run: Promise<void> = this.#run(next, lost).then(ended);
      this.#running.set(run, lost);
    }
  }

  /** Never rejects. */
  async #run({ item }: Entry<Delivery<O>>, lost: Cancellation): Promise<void> {
    const { message, channel } = item;
    try {
      const { processor } = this.#options;
      const opened = item.opened ?? processor.open(message);
      const settlement = await processor.process(opened, lost, this.#closing, this.#circuit?.reporter());
      if (settlement === 'ack') settle(() => channel.ack(message));
      else if (settlement === 'give-back') this.#giveBack(item);
    } catch (error) {
      this.#options.log.error({ queue: this.queue, error: messageOf(error) }, 'a delivery could not be settled');
    }
  }

  /** One that keeps order gives back all it has, so that it comes back in order. */
  #giveBack(delivery: Delivery<O>): void {
    const { model } = this.#options.connection;
    if (!this.#options.holds) return giveBack(delivery);
    if (this.#state === 'closed' || model === undefined) return;
    this.#again(delivery.channel, model, 'channel');
    void within(2_000, delivery.channel.close());
  }
}

const circuitSays = {
  open: 'most attempts failed: no messages are taken, they stay in the queue',
  'half-open': 'one message is tried',
  closed: 'messages are handled again',
} as const;

const lostBy = {
  connection: 'the connection was lost',
  channel: 'the channel was closed',
  cancelled: 'the consumer was cancelled',
  'acknowledgement-timeout': 'it was not acknowledged within the consumer timeout',
  'unknown-to-broker': 'the broker lost the consumer',
} as const satisfies Record<ReattachReason, string>;

/** "PRECONDITION_FAILED - delivery acknowledgement on channel 1 timed out." */
const isTimeout = (failure: string): boolean => /delivery acknowledgement .* timed out/.test(failure);

const giveBack = (delivery: Pick<Delivery<Opening>, 'message' | 'channel'>): void =>
  settle(() => delivery.channel.nack(delivery.message, false, true));

/** On a closed channel there is nothing to settle: the broker has taken the message back already. */
function settle(action: () => void): void {
  try {
    action();
  } catch (error) {
    if ((error as Error).name !== 'IllegalOperationError') throw error;
  }
}
