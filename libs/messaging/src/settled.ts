import type { ChannelModel } from 'amqplib';
import { setTimeout as pause } from 'node:timers/promises';
import type { AmqpConnection } from './connection/connection.ts';
import type { Consumer } from './consume/consumer.ts';
import type { OutboxRelay } from './outbox/relay.ts';
import type { MessageScheduler } from './schedule/scheduler.ts';
import type { Publishers } from './publish/publishers.ts';
import { delayName } from './topology/names.ts';
import type { DelaySettings } from './topology/delays.ts';

export interface Settling {
  publishers: Publishers;
  relays: readonly OutboxRelay[];
  schedulers: readonly MessageScheduler[];
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

async function isQuiet({ publishers, relays, schedulers, consumers, consuming, delays }: Settling): Promise<boolean> {
  const idle = (consumer: Consumer): boolean =>
    consumer.state === 'attached' && consumer.active + consumer.buffered === 0;
  if (publishers.inFlight + publishers.waiting > 0) return false;
  for (const scheduler of schedulers) if ((await scheduler.waiting()).lateSeconds > 0) return false;
  for (const relay of relays) if ((await relay.lag()).rows > 0) return false;
  const open = consumers.filter((consumer) => consumer.state !== 'closed');
  if (!open.every(idle)) return false;
  if (open.length === 0) return true;
  const levels = Array.from({ length: delays.levels }, (_, level) => delayName(delays.unitMs, level));
  const model = await consuming.whenConnected();
  // Who only has broadcasts, streams or requests has no delays.
  if (!(await isThere(model, levels[0] ?? ''))) levels.length = 0;
  const channel = await model.createChannel();
  channel.on('error', () => undefined);
  try {
    for (const queue of [
      ...open.filter((consumer) => !consumer.keepsMessages).map((consumer) => consumer.source),
      ...levels,
    ]) {
      if ((await channel.checkQueue(queue)).messageCount > 0) return false;
    }
  } finally {
    // Closed already when a queue is missing; the caller gets that error.
    await channel.close().catch(() => undefined);
  }
  return open.every(idle);
}

async function isThere(model: ChannelModel, queue: string): Promise<boolean> {
  const channel = await model.createChannel();
  channel.on('error', () => undefined);
  try {
    await channel.checkQueue(queue);
  } catch {
    return false;
  }
  await channel.close();
  return true;
}
