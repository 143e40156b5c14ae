import type { MessageDefinition, Payload, Reply, RequestDefinition } from '@keelson/contracts';
import type { Log } from '@keelson/persistence';
import type { ConsumeMessage } from 'amqplib';
import { randomUUID } from 'node:crypto';
import type { Cancellation } from '../consume/cancellation.ts';
import { Cancellation as Limit } from '../consume/cancellation.ts';
import type { Opening, Processor } from '../consume/consumer.ts';
import { decode, type Decoded } from '../consume/decode.ts';
import type { Settlement } from '../consume/handling.ts';
import { encodePayload, eventHeaders } from '../envelope/encode.ts';
import { activeTraceparent, contextFrom } from '../envelope/trace-context.ts';
import type { Received } from '../envelope/received.ts';
import { acceptedBy } from '../envelope/versions.ts';
import { UnroutableError } from '../errors.ts';
import { messageOf } from '../message-of.ts';
import type { Instruments } from '../observe/instruments.ts';
import { inProcessSpan } from '../observe/spans.ts';
import type { Publisher } from '../publish/publisher.ts';
import { REQUEST } from './names.ts';
import { problem, problemOf, RequestProblem } from './problem.ts';

export interface RequestContext<R extends RequestDefinition = RequestDefinition> {
  readonly message: Received<R>;
  /** When nobody waits any more. */
  readonly deadline: Date;
  /** Aborted at the deadline, and when the broker took the request back. */
  readonly signal: AbortSignal;
}

export interface RespondOptions<R extends RequestDefinition> {
  /** `<service>.<purpose>`, shared by all processes that answer. */
  queue: string;
  request: R;
  handler: (payload: Payload<R>, context: RequestContext<R>) => Promise<Reply<R>>;
  /** Default 10. */
  concurrency?: number;
  /** Requests that wait, at most; one more is refused at the caller. Default 10,000. */
  maxLength?: number;
}

export interface ResponderOptions {
  queue: string;
  request: RequestDefinition;
  handler: (payload: unknown, context: RequestContext) => Promise<unknown>;
  service: string;
  publisher: Publisher;
  maxBytes: number;
  instruments: Instruments;
  log: Log;
}

interface OpenRequest extends Opening {
  readonly delivery: ConsumeMessage;
  readonly decoded: Decoded;
  readonly deadline: number;
}

/**
 * Answers requests. Every one that somebody still waits for is answered, with a reply or a problem; one past its
 * deadline is dropped unhandled. There are no retries and no parking lot: the caller has the outcome and decides.
 */
export class Responder implements Processor<OpenRequest> {
  readonly #options: ResponderOptions;
  readonly #accepted: ReturnType<typeof acceptedBy>;

  constructor(options: ResponderOptions) {
    this.#options = options;
    this.#accepted = acceptedBy([options.request]);
  }

  open(delivery: ConsumeMessage): OpenRequest {
    const { queue, maxBytes } = this.#options;
    const header: unknown = delivery.properties.headers?.[REQUEST.deadline];
    const deadline = typeof header === 'number' ? header : Number.POSITIVE_INFINITY;
    return { delivery, decoded: decode(delivery, queue, this.#accepted, maxBytes), deadline, key: undefined };
  }

  async process({ delivery, decoded, deadline }: OpenRequest, lost: Cancellation): Promise<Settlement> {
    const { queue, request } = this.#options;
    const replyTo: unknown = delivery.properties.replyTo;
    if (typeof replyTo !== 'string' || deadline <= Date.now()) {
      this.#count(typeof replyTo === 'string' ? 'expired' : 'no-reply-address');
      return 'ack';
    }
    const about = {
      queue,
      exchange: delivery.fields.exchange,
      routingKey: request.routingKey,
      id: String(delivery.properties.messageId ?? ''),
      bytes: delivery.content.length,
    };
    await inProcessSpan(contextFrom(delivery.properties.headers?.['traceparent']), about, async () => {
      const answer = await this.#answer(decoded, deadline, lost);
      if (lost.cancelled) return;
      if (answer === 'too late') return this.#count('expired');
      this.#count(answer.outcome === 'ok' ? 'handled' : 'problem');
      await this.#reply(delivery, replyTo, answer, deadline);
    });
    return lost.cancelled ? 'nothing' : 'ack';
  }

  async #answer(
    decoded: Decoded,
    deadline: number,
    lost: Cancellation,
  ): Promise<{ outcome: string; body: string } | 'too late'> {
    const { request, handler, maxBytes, queue, log } = this.#options;
    const limit = new Limit();
    const forget = lost.onCancel((reason) => limit.cancel(reason));
    const leftMs = Math.min(deadline - Date.now(), 2 ** 31 - 1);
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      limit.cancel(new Error('the deadline of the request is over'));
    }, leftMs);
    const startedAt = performance.now();
    let outcome = 'problem';
    try {
      if (!decoded.ok) throw new RequestProblem(problem(decoded.code, 400, 'The request is invalid', decoded.reason));
      const { message } = decoded;
      const context: RequestContext = {
        message: message as unknown as Received<RequestDefinition>,
        deadline: new Date(deadline),
        get signal() {
          return limit.signal;
        },
      };
      const reply = await limit.stopping(handler(message.payload, context));
      const body = encodePayload(replyDefinition(request), reply, maxBytes);
      outcome = 'ok';
      return { outcome, body };
    } catch (error) {
      // A problem sent now could still overtake the caller's own timer, and say less than that does.
      if (late) {
        log.warn({ queue, request: request.routingKey, error: messageOf(error) }, 'request not answered in time');
        return 'too late';
      }
      const answer = problemOf(error);
      if (answer.status >= 500)
        log.error({ queue, request: request.routingKey, error: messageOf(error) }, 'request failed');
      return { outcome, body: JSON.stringify(answer) };
    } finally {
      clearTimeout(timer);
      forget();
      const seconds = (performance.now() - startedAt) / 1_000;
      this.#options.instruments.process.observe({ queue, outcome: outcome === 'ok' ? 'handled' : 'failed' }, seconds);
    }
  }

  async #reply(
    delivery: ConsumeMessage,
    replyTo: string,
    answer: { outcome: string; body: string },
    deadline: number,
  ): Promise<void> {
    const { publisher, service, request, queue, log } = this.#options;
    const leftMs = deadline === Number.POSITIVE_INFINITY ? 30_000 : Math.ceil(deadline - Date.now());
    if (leftMs <= 0) return;
    const id = randomUUID();
    const timestamp = Date.now();
    const type = `${request.type}.reply`;
    const headers = eventHeaders({ id, source: service, type, timestamp, traceparent: activeTraceparent() });
    headers[REQUEST.outcome] = answer.outcome;
    const correlationId: unknown = delivery.properties.correlationId;
    const kept = typeof correlationId === 'string' ? { correlationId } : {};
    const envelope = {
      id,
      routingKey: replyTo,
      body: Buffer.from(answer.body),
      headers,
      timestamp,
      kept,
      expiresMs: leftMs,
    };
    try {
      await publisher.publish('', envelope, { mandatory: true, deadlineMs: leftMs });
    } catch (error) {
      // The caller is gone, or will hear of its deadline.
      const words = error instanceof UnroutableError ? 'nobody waits for the reply any more' : 'the reply was not sent';
      log.warn({ queue, request: request.routingKey, error: messageOf(error) }, words);
    }
  }

  #count(outcome: string): void {
    const { queue, request, instruments } = this.#options;
    instruments.consumed.inc({ queue, message: request.routingKey, outcome });
  }
}

/** For checking a reply as every payload is checked. */
const replyDefinition = (request: RequestDefinition): MessageDefinition => ({
  ...request,
  routingKey: `reply to ${request.routingKey}`,
  schema: request.reply,
});
