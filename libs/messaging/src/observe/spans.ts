import { messageOf } from '../message-of.ts';
import { context, SpanKind, SpanStatusCode, trace, type Context, type Span } from '@opentelemetry/api';

const tracer = trace.getTracer('@keelson/messaging');

/** OpenTelemetry semantic conventions for messaging, RabbitMQ: attribute names. */
const SYSTEM = { 'messaging.system': 'rabbitmq' };

/** A span around one publish; a child of whatever is active. */
export function publishSpan(exchange: string, routingKey: string): Span {
  return tracer.startSpan(`publish ${exchange}`, {
    kind: SpanKind.PRODUCER,
    attributes: {
      ...SYSTEM,
      'messaging.operation.name': 'publish',
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
 * Runs a handler in a span that continues the sender's trace, so that one trace shows the way from the request that
 * caused the message to the end of its handling.
 */
export async function inProcessSpan<T>(
  parent: Context,
  about: { queue: string; exchange: string; routingKey: string; id: string; bytes: number },
  work: () => Promise<T>,
): Promise<T> {
  const span = tracer.startSpan(
    `process ${about.queue}`,
    {
      kind: SpanKind.CONSUMER,
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
  try {
    const result = await context.with(trace.setSpan(parent, span), work);
    endSpan(span);
    return result;
  } catch (error) {
    endSpan(span, error);
    throw error;
  }
}
