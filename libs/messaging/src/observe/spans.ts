import { messageOf } from '../message-of.ts';
import { context, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, type Context, type Span } from '@opentelemetry/api';

const tracer = trace.getTracer('@keelson/messaging');

/** OpenTelemetry semantic conventions for messaging, RabbitMQ: attribute names. */
const SYSTEM = { 'messaging.system': 'rabbitmq' };

/** A span around one publish; a child of whatever is active. */
export function publishSpan(exchange: string, routingKey: string, operation = 'publish'): Span {
  return tracer.startSpan(`${operation} ${exchange}`, {
    kind: SpanKind.PRODUCER,
    attributes: {
      ...SYSTEM,
      'messaging.operation.name': operation,
      'messaging.operation.type': 'send',
      'messaging.destination.name': exchange,
      'messaging.rabbitmq.destination.routing_key': routingKey,
    },
  });
}

export function endSpan(span: Span, error?: unknown): void {
  if (error !== undefined) {
    span.setStatus({ code: SpanStatusCode.ERROR, message: messageOf(error) });
    span.setAttribute('error.type', (error as Error).name ?? 'Error');
  }
  span.end();
}

/**
 * Runs a handler in a span that continues the sender's trace and links to the sender, so that one trace shows the way from the request that
 * caused the message to the end of its handling.
 */
export async function inProcessSpan<T>(
  parent: Context,
  about: { queue: string; exchange: string; routingKey: string; id: string; bytes: number },
  work: () => Promise<T>,
): Promise<T> {
  // Both parent and link: the conventions ask for the link, since a message may have many receivers.
  const sender = trace.getSpanContext(parent);
  const span = tracer.startSpan(
    `process ${about.queue}`,
    {
      kind: SpanKind.CONSUMER,
      ...(sender?.isRemote === true && { links: [{ context: sender }] }),
      attributes: {
        ...SYSTEM,
        'messaging.operation.name': 'process',
        'messaging.operation.type': 'process',
        'messaging.destination.name': about.exchange,
        'messaging.consumer.group.name': about.queue,
        'messaging.rabbitmq.destination.routing_key': about.routingKey,
        'messaging.message.id': about.id,
        'messaging.message.body.size': about.bytes,
      },
    },
    parent,
  );
  return within(span, parent, work);
}

/** Runs the handler of a batch in a span of its own, with a link to the sender of each message. */
export async function inBatchSpan<T>(senders: readonly Context[], queue: string, work: () => Promise<T>): Promise<T> {
  const contexts = senders.map((sender) => trace.getSpanContext(sender));
  const span = tracer.startSpan(
    `process ${queue}`,
    {
      kind: SpanKind.CONSUMER,
      links: contexts.flatMap((sender) => (sender?.isRemote === true ? [{ context: sender }] : [])),
      attributes: {
        ...SYSTEM,
        'messaging.operation.name': 'process',
        'messaging.operation.type': 'process',
        'messaging.consumer.group.name': queue,
        'messaging.batch.message_count': senders.length,
      },
    },
    ROOT_CONTEXT,
  );
  return within(span, ROOT_CONTEXT, work);
}

async function within<T>(span: Span, parent: Context, work: () => Promise<T>): Promise<T> {
  try {
    const result = await context.with(trace.setSpan(parent, span), work);
    endSpan(span);
    return result;
  } catch (error) {
    endSpan(span, error);
    throw error;
  }
}
