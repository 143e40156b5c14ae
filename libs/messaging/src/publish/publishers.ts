import type { ChannelModel, ConfirmChannel } from 'amqplib';
import { Publisher, type PublisherOptions } from './publisher.ts';

/**
 * A small pool of confirm channels on one connection, one for each kind of traffic, with a window each: what makes the
 * broker close one (an exchange that is gone) or fills its window (an outbox after an outage) leaves the others alone.
 * Within one kind messages go out in the order they were given.
 */
export class Publishers {
  /** What programs publish, and their requests. */
  readonly direct: Publisher;
  readonly outbox: Publisher;
  /** Messages put off or parked by consumers, replies, and what is redriven. */
  readonly copies: Publisher;
  readonly #all: readonly Publisher[];

  constructor(options: PublisherOptions) {
    const prepared = new WeakMap<ChannelModel, Promise<void>>();
    const one = (): Publisher => new Publisher({ ...options, prepare: oncePerConnection(options, prepared) });
    this.direct = one();
    this.outbox = one();
    this.copies = one();
    this.#all = [this.direct, this.outbox, this.copies];
  }

  /** Sent and not yet confirmed. */
  get inFlight(): number {
    return this.#sum(({ inFlight }) => inFlight);
  }

  /** Accepted and not yet sent. */
  get waiting(): number {
    return this.#sum(({ waiting }) => waiting);
  }

  get waitingBytes(): number {
    return this.#sum(({ waitingBytes }) => waitingBytes);
  }

  /** All can send now. */
  get ready(): boolean {
    return this.#all.every(({ ready }) => ready);
  }

  /** Resolves when nothing is under way any more. */
  async flushed(): Promise<void> {
    await Promise.all(this.#all.map((publisher) => publisher.flushed()));
  }

  /** Rejects what is still under way. */
  async close(): Promise<void> {
    await Promise.all(this.#all.map((publisher) => publisher.close()));
  }

  #sum(of: (publisher: Publisher) => number): number {
    return this.#all.reduce((sum, publisher) => sum + of(publisher), 0);
  }
}

/**
 * All channels of a new connection need the same to be there: the first one asks for it, the others wait for its answer.
 * A channel that is opened again asks anew, since what it needs may be gone.
 */
function oncePerConnection(
  options: PublisherOptions,
  prepared: WeakMap<ChannelModel, Promise<void>>,
): (channel: ConfirmChannel, model: ChannelModel) => Promise<void> {
  let latest: ChannelModel | undefined;
  return async (channel, model) => {
    const isAgain = latest === model;
    latest = model;
    let done = isAgain ? undefined : prepared.get(model);
    if (done === undefined) {
      done = options.prepare?.(channel, model) ?? Promise.resolve();
      prepared.set(model, done);
    }
    await done;
  };
}
