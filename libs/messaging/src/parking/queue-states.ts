import { UNCLAIMED } from '@keelson/contracts';
import { messageOf } from '../message-of.ts';
import { PARKING, type Messaging } from '../messaging.ts';
import { declaring } from '../topology/declare.ts';
import type { FoundQueue, ManagementApi } from '../topology/management.ts';
import { parkedQueue } from '../topology/names.ts';

export interface QueueState {
  readonly queue: string;
  /** Of a queue of requests, which has no parking lot. */
  readonly kind?: 'requests';
  /** Waiting for a consumer. */
  readonly ready: number;
  readonly unacknowledged?: number;
  readonly consumers: number;
  readonly parked: number;
  /** Messages a second. */
  readonly rates?: { readonly in: number; readonly out: number; readonly acknowledged: number };
  /** A parking lot without a queue: of delayed messages that found none. */
  readonly lotOnly?: boolean;
  /** Why it could not be read. */
  readonly fault?: string;
}

/**
 * Every queue of this program in which something can wait: of events, of requests, and of what was delayed and found
 * no queue, where there is any. Depth and consumers come from the broker itself and are of this moment; rates, and what
 * is with consumers, come from the management API where there is one, and are some seconds old.
 */
export async function queueStates(
  messaging: Messaging,
): Promise<{ items: QueueState[]; source: 'management' | 'amqp' }> {
  const { connected, management } = messaging[PARKING]();
  const model = await connected();
  const counts = (name: string) => declaring(model, (channel) => channel.checkQueue(name));
  const figures = await figuresOf(management);
  const stateOf = async (queue: string, kind?: 'requests'): Promise<QueueState> => {
    const named = { queue, ...(kind && { kind }) };
    try {
      const [own, lot] = await Promise.all([
        counts(queue),
        kind === 'requests' ? undefined : counts(parkedQueue(queue)),
      ]);
      return {
        ...named,
        ready: own.messageCount,
        consumers: own.consumerCount,
        parked: lot?.messageCount ?? 0,
        ...figures?.get(queue),
      };
    } catch (error) {
      return { ...named, ready: 0, consumers: 0, parked: 0, fault: messageOf(error) };
    }
  };
  const items = await Promise.all([
    ...messaging.queues.map((queue) => stateOf(queue)),
    ...messaging.requestQueues.map((queue) => stateOf(queue, 'requests')),
  ]);
  const unclaimed = await counts(parkedQueue(UNCLAIMED)).catch((error: unknown) => {
    // Who only has broadcasts, streams or requests has no delays.
    if (/NOT[-_]FOUND/.test(messageOf(error))) return { messageCount: 0 };
    throw error;
  });
  const parked = unclaimed.messageCount;
  if (parked > 0) items.push({ queue: UNCLAIMED, ready: 0, consumers: 0, parked, lotOnly: true });
  return { items, source: figures === undefined ? 'amqp' : 'management' };
}

/** undefined where there is no management API, or none that answers: depth matters more than rates. */
async function figuresOf(
  management: ManagementApi | undefined,
): Promise<Map<string, Pick<QueueState, 'unacknowledged' | 'rates'>> | undefined> {
  try {
    const queues = await management?.queues();
    return queues === undefined ? undefined : new Map(queues.map((queue) => [queue.name, figures(queue)]));
  } catch {
    return undefined; // the caller says that they are missing: source is amqp
  }
}

function figures({
  messages_unacknowledged,
  message_stats = {},
}: FoundQueue): Pick<QueueState, 'unacknowledged' | 'rates'> {
  const rate = (name: string): number => {
    const details = message_stats[`${name}_details`] as { rate?: number } | undefined;
    return details?.rate ?? 0;
  };
  return {
    ...(messages_unacknowledged === undefined ? {} : { unacknowledged: messages_unacknowledged }),
    rates: { in: rate('publish'), out: rate('deliver_get'), acknowledged: rate('ack') },
  };
}
