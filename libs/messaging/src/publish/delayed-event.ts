import type { Envelope } from '../envelope/encode.ts';
import { KEELSON } from '../envelope/headers.ts';
import { eventTarget } from '../topology/delayed-events.ts';
import { delayRoute, type DelaySettings } from '../topology/delays.ts';

/** The event as it goes into the delay queues: receivers see the key it would have had, from its header. */
export function delayedEvent(
  envelope: Envelope,
  options: { exchange: string; delayMs: number; delays: DelaySettings },
): { exchange: string; envelope: Envelope } {
  const target = eventTarget(options.exchange, envelope.routingKey);
  const { exchange, routingKey } = delayRoute(target, options.delayMs, options.delays);
  const headers = {
    ...envelope.headers,
    [KEELSON.exchange]: options.exchange,
    [KEELSON.routingKey]: envelope.routingKey,
  };
  return { exchange, envelope: { ...envelope, routingKey, headers } };
}
