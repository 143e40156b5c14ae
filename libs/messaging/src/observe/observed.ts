import { MessagingError } from '../errors.ts';
import { traceparentOf } from '../envelope/trace-context.ts';
import type { Instruments } from './instruments.ts';
import { endSpan, publishSpan } from './spans.ts';

/** Runs one publish or request in a span of its own, and counts and times how it ended. */
export async function observed<T>(
  instruments: Instruments,
  exchange: string,
  routingKey: string,
  operation: 'publish' | 'request',
  work: (traceparent: string | undefined) => Promise<T>,
): Promise<T> {
  const startedAt = performance.now();
  const span = publishSpan(exchange, routingKey, operation);
  let outcome = 'ok';
  try {
    const result = await work(traceparentOf(span.spanContext()));
    endSpan(span);
    return result;
  } catch (error) {
    outcome = error instanceof MessagingError ? error.code : 'error';
    endSpan(span, error);
    throw error;
  } finally {
    const seconds = (performance.now() - startedAt) / 1_000;
    instruments.operation.observe({ destination: exchange, outcome }, seconds);
    instruments.sent.inc({ message: routingKey, outcome });
  }
}
