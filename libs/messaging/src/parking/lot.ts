import type { Channel, ChannelModel, GetMessage } from 'amqplib';
import { setTimeout as pause } from 'node:timers/promises';
import { parkedQueue } from '../topology/names.ts';

/** Read ahead at most, in messages and bytes: what comes after is looked at when its turn comes. */
const AHEAD = { messages: 10_000, bytes: 32 * 1_048_576 } as const;

/**
 * A parking lot that is being walked through. Messages are taken without acknowledgement; what was not removed goes back
 * to its place when the walk ends, or when this process or its connection does.
 */
export class Lot {
  readonly #channel: Channel;
  readonly #name: string;
  /** Messages that were there when the walk began. */
  readonly initial: number;
  readonly #ahead: GetMessage[] = [];
  #aheadBytes = 0;
  /** Taken from the broker, by whatever end. */
  #taken = 0;
  #held = 0;
  #handedOut = 0;

  private constructor(channel: Channel, name: string, initial: number) {
    this.#channel = channel;
    this.#name = name;
    this.initial = initial;
  }

  /** Walks through the parking lot of `queue`. Throws where there is none. */
  static async visit<T>(model: ChannelModel, queue: string, walk: (lot: Lot) => Promise<T>): Promise<T> {
    const channel = await model.createChannel();
    // The failure arrives as the rejected call too; without a listener Node would throw.
    channel.on('error', () => undefined);
    const name = parkedQueue(queue);
    let lot: Lot | undefined;
    try {
      const { messageCount } = await channel.checkQueue(name);
      lot = new Lot(channel, name, messageCount);
      return await walk(lot);
    } finally {
      // Both fail only on a channel that is closed: then the broker has put everything back already.
      if (lot !== undefined) await lot.#putBack().catch(() => undefined);
      await channel.close().catch(() => undefined);
    }
  }

  /** The next message, up to those that were there at the beginning; undefined at the end. */
  async next(): Promise<GetMessage | undefined> {
    if (this.#handedOut >= this.initial) return undefined;
    const message = this.#ahead.shift() ?? (await this.#take());
    if (message === undefined) return undefined;
    this.#handedOut += 1;
    return message;
  }

  /** Takes a message out for good. */
  remove(message: GetMessage): void {
    this.#channel.ack(message);
    this.#held -= 1;
  }

  /** Messages that came since the walk began. */
  async arrived(): Promise<number> {
    const { messageCount } = await this.#channel.checkQueue(this.#name);
    return messageCount + this.#taken - this.initial;
  }

  /** Looks through everything that is left, as far as memory allows, without handing it out. */
  async findAhead(wanted: (message: GetMessage) => boolean): Promise<GetMessage | undefined> {
    const found = this.#ahead.find(wanted);
    if (found !== undefined) return found;
    while (this.#ahead.length < AHEAD.messages && this.#aheadBytes < AHEAD.bytes) {
      const message = await this.#take();
      if (message === undefined) return undefined;
      this.#ahead.push(message);
      this.#aheadBytes += message.content.length;
      if (wanted(message)) return message;
    }
    return undefined;
  }

  async #take(): Promise<GetMessage | undefined> {
    const message = await this.#channel.get(this.#name, { noAck: false });
    if (message === false) return undefined;
    this.#taken += 1;
    this.#held += 1;
    return message;
  }

  /**
   * A quorum queue puts what comes back behind what was never taken (seen with 3.10.8), so the rest is taken too, as far
   * as memory allows: then all come back in their order. The broker puts back with a delay; who looks twice in a row
   * must not find the parking lot empty.
   */
  async #putBack(): Promise<void> {
    if (this.#held === 0) return;
    await this.findAhead(() => false);
    const ready = async (): Promise<number> => (await this.#channel.checkQueue(this.#name)).messageCount;
    const whole = (await ready()) + this.#held;
    this.#channel.nackAll(true);
    for (let waited = 0; waited < 1_000; waited += 10) {
      if ((await ready()) >= whole) return;
      await pause(10);
    }
  }
}
