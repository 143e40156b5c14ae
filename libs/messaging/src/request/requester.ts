import { ProblemError, problemSchema, type Reply, type RequestDefinition } from '@keelson/contracts';
import type { Log } from '@keelson/persistence';
import type { Channel, ChannelModel, ConsumeMessage } from 'amqplib';
import { randomUUID } from 'node:crypto';
import { within, type AmqpConnection } from '../connection/connection.ts';
import { Cancellation } from '../consume/cancellation.ts';
import type { Envelope } from '../envelope/encode.ts';
import { ClosedError, InvalidReplyError, NoReplyError } from '../errors.ts';
import { messageOf } from '../message-of.ts';
import type { Publisher } from '../publish/publisher.ts';
import { REPLY_PREFIX, REQUEST } from './names.ts';

export interface RequesterOptions {
  connection: AmqpConnection;
  publisher: Publisher;
  exchange: string;
  service: string;
  log: Log;
}

const CLOSING = 'the program is closing';

interface Waiting {
  readonly definition: RequestDefinition;
  readonly resolve: (reply: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

/**
 * Sends requests and waits for their replies, on one exclusive queue of this process. Not RabbitMQ's direct reply-to:
 * that ties replies to the channel that published the request, and ours is opened anew after each fault and stands
 * still while the broker blocks publishers, while replies have to come in all the same.
 */
export class Requester {
  readonly #options: RequesterOptions;
  readonly #waiting = new Map<string, Waiting>();
  readonly #unlisten: () => void;
  readonly #closing = new Cancellation();
  #opening: { model: ChannelModel; address: Promise<string> } | undefined;

  constructor(options: RequesterOptions) {
    this.#options = options;
    this.#unlisten = options.connection.listen({ lost: (reason) => this.#lost(`the connection was lost (${reason})`) });
  }

  /** Requests that wait for their reply. */
  get pending(): number {
    return this.#waiting.size;
  }

  async request<R extends RequestDefinition>(definition: R, envelope: Envelope, deadlineMs: number): Promise<Reply<R>> {
    if (this.#closing.cancelled) throw new ClosedError('this Messaging was closed');
    const until = performance.now() + deadlineMs;
    const replyTo = await this.#address(definition.routingKey, deadlineMs);
    const leftMs = Math.ceil(until - performance.now());
    if (leftMs <= 0) throw new NoReplyError(definition.routingKey, `not sent within ${deadlineMs} ms`, false);
    // It may have begun in the turn that ended the wait for the address.
    if (this.#closing.cancelled) throw new NoReplyError(definition.routingKey, CLOSING, false);
    const correlationId = randomUUID();
    const reply = new Promise<unknown>((resolve, reject) => {
      const late = (): void =>
        this.#settle(correlationId, ({ reject: fail }) =>
          fail(new NoReplyError(definition.routingKey, `no reply within ${deadlineMs} ms`, true)),
        );
      this.#waiting.set(correlationId, { definition, resolve, reject, timer: setTimeout(late, leftMs) });
    });
    const headers = { ...envelope.headers, [REQUEST.deadline]: Date.now() + leftMs };
    const request = { ...envelope, headers, expiresMs: leftMs, kept: { replyTo, correlationId } };
    // The reply may come before the confirm.
    this.#options.publisher
      .publish(this.#options.exchange, request, { mandatory: true, deadlineMs: leftMs })
      .catch((error: unknown) => this.#settle(correlationId, ({ reject }) => reject(error as Error)));
    return (await reply) as Reply<R>;
  }

  async close(): Promise<void> {
    this.#unlisten();
    this.#closing.cancel(new Error(CLOSING));
    this.#lost(CLOSING);
  }

  /** The reply queue of this connection, made with its first request. */
  async #address(routingKey: string, deadlineMs: number): Promise<string> {
    const opened = this.#options.connection.whenConnected().then((model) => {
      if (this.#opening?.model !== model) {
        const address = this.#open(model);
        this.#opening = { model, address };
        address.catch(() => {
          if (this.#opening?.address === address) this.#opening = undefined;
        });
      }
      return this.#opening.address;
    });
    const limit = new Cancellation();
    const end = (why: string): void => limit.cancel(new NoReplyError(routingKey, why, false));
    const timer = setTimeout(end, deadlineMs, `no connection within ${deadlineMs} ms`);
    const forget = this.#closing.onCancel(({ message }) => end(message));
    try {
      return await limit.stopping(opened);
    } finally {
      clearTimeout(timer);
      forget();
    }
  }

  async #open(model: ChannelModel): Promise<string> {
    const { service, log } = this.#options;
    const channel = await model.createChannel();
    channel.on('error', (error) => log.warn({ error: messageOf(error) }, 'reply channel closed by the broker'));
    channel.on('close', () => this.#gone(model));
    // A new name each time: the broker may still hold the queue of a connection that it has not missed yet.
    const queue = `${REPLY_PREFIX}${service}.${randomUUID()}`;
    await channel.assertQueue(queue, { exclusive: true, autoDelete: true, durable: false });
    await channel.consume(queue, (message) => this.#received(channel, model, message), { noAck: true });
    return queue;
  }

  #received(channel: Channel, model: ChannelModel, message: ConsumeMessage | null): void {
    if (message === null) {
      this.#gone(model);
      return void within(2_000, channel.close());
    }
    // Of no request that waits: it came too late, and the caller has been told.
    this.#settle(String(message.properties.correlationId), ({ definition, resolve, reject }) => {
      const answer = read(definition, message);
      if (answer instanceof Error) reject(answer);
      else resolve(answer.reply);
    });
  }

  #settle(correlationId: string, how: (waiting: Waiting) => void): void {
    const waiting = this.#waiting.get(correlationId);
    if (waiting === undefined) return;
    this.#waiting.delete(correlationId);
    clearTimeout(waiting.timer);
    how(waiting);
  }

  #gone(model: ChannelModel): void {
    if (this.#opening?.model === model) this.#lost('the reply queue was lost');
  }

  #lost(why: string): void {
    this.#opening = undefined;
    for (const id of this.#waiting.keys())
      this.#settle(id, ({ definition, reject }) => reject(new NoReplyError(definition.routingKey, why, true)));
  }
}

/** Of a reply's bytes: what was answered, or why that is none. */
function read(definition: RequestDefinition, message: ConsumeMessage): { reply: unknown } | Error {
  let body: unknown;
  try {
    body = JSON.parse(message.content.toString('utf8'));
  } catch (error) {
    return new InvalidReplyError(definition.routingKey, `body is not JSON: ${messageOf(error)}`);
  }
  const isProblem = message.properties.headers?.[REQUEST.outcome] === 'problem';
  const result = (isProblem ? problemSchema : definition.reply).safeParse(body);
  if (!result.success) {
    const issues = result.error.issues.map((issue) => `${issue.path.join('.') || '(whole)'}: ${issue.message}`);
    return new InvalidReplyError(definition.routingKey, issues.join('; '));
  }
  if (!isProblem) return { reply: result.data };
  return new ProblemError(problemSchema.parse(body), { operation: `request ${definition.routingKey}` });
}
