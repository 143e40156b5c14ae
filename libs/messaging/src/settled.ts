import { setTimeout as pause } from 'node:timers/promises';
import type { AmqpConnection } from './connection/connection.ts';
import type { Consumer } from './consume/consumer.ts';
import type { OutboxRelay } from './outbox/relay.ts';
import type { Publisher } from './publish/publisher.ts';
import { delayName } from './topology/names.ts';
import type { DelaySettings } from './topology/delays.ts';

export interface Settling {
  publisher: Publisher;
  relays: readonly OutboxRelay[];
  consumers: readonly Consumer[];
  consuming: AmqpConnection;
  delays: DelaySettings;
}

/** Resolves when nothing is under way, twice in a row: a handler may publish what another one gets. */
export async function settled(parts: Settling): Promise<void> {
  for (let quiet = 0; quiet < 2;) {
    quiet = (await isQuiet(parts)) ? quiet + 1 : 0;
    await pause(20);
  }
}

async function isQuiet({ publisher, relays, consumers, consuming, delays }: Settling): Promise<boolean> {
  const idle = (consumer: Consumer): boolean =>
    consumer.state === 'attached' && consumer.active + consumer.buffered === 0;
  if (publisher.inFlight + publisher.waiting > 0) return false;
  for (const relay of relays) if ((await relay.lag()).rows > 0) return false;
  const open = consumers.filter((consumer) => consumer.state !== 'closed');
  if (!open.every(idle)) return false;
  if (open.length === 0) return true;
  const levels = Array.from({ length: delays.levels }, (_, level) => delayName(delays.unitMs, level));
  const channel = await (await consuming.whenConnected()).createChannel();
  channel.on('error', () => undefined);
  try {
    for (const queue of [...open.map((consumer) => consumer.queue), ...levels]) {
      if ((await channel.checkQueue(queue)).messageCount > 0) return false;
    }
  } finally {
    // Closed already when a queue is missing; the caller gets that error.
    await channel.close().catch(() => undefined);
  }
  return open.every(idle);
}
