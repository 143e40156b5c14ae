import type { Channel, GetMessage } from 'amqplib';
import { setTimeout as pause } from 'node:timers/promises';
import { copyOf } from '../consume/delayed.ts';
import { CE, countIn, KEELSON, type Headers } from '../envelope/headers.ts';
import { PARKING, type Messaging } from '../messaging.ts';
import { parkedQueue } from '../topology/names.ts';

/** A message that was given up, and why. */
export interface ParkedMessage {
  readonly id: string;
  readonly type: string;
  readonly code: string;
  readonly reason: string;
  readonly attempts: number;
  readonly firstFailedAt?: string;
  readonly lastFailedAt?: string;
  readonly exchange?: string;
  readonly routingKey?: string;
  readonly redriveCount: number;
  readonly traceId?: string;
}

export interface ParkedDetails extends ParkedMessage {
  readonly stack?: string;
  readonly headers: Readonly<Record<string, unknown>>;
  /** As text, cut to 64 KiB. */
  readonly body: string;
}

/** What to act on; without any field, everything. All that are given must match. */
export interface ParkedFilter {
  ids?: readonly string[];
  code?: string;
  type?: string;
}

export interface ActOptions extends ParkedFilter {
  /** Messages looked at, at most. Default 1,000. */
  limit?: number;
  /** Only count. */
  dryRun?: boolean;
  /** Redriven per second, at most. Default 200, so that a broken handler is not flooded. */
  ratePerSecond?: number;
}

/** What came of it: messages looked at, those that matched, those acted on. */
export interface ActResult {
  readonly seen: number;
  readonly matched: number;
  readonly done: number;
}

/** The parked messages of a queue, oldest first; they stay where they are. */
async function list(
  messaging: Messaging,
  queue: string,
  options: { limit?: number } & ParkedFilter = {},
): Promise<ParkedMessage[]> {
  const found: ParkedMessage[] = [];
  await visit(messaging, queue, options.limit ?? 100, async (message) => {
    if (matches(message, options)) found.push(summary(message));
    return 'keep';
  });
  return found;
}

/** One parked message in full; undefined when it is not among the first `limit` (1,000). */
async function peek(
  messaging: Messaging,
  queue: string,
  id: string,
  options: { limit?: number } = {},
): Promise<ParkedDetails | undefined> {
  let found: ParkedDetails | undefined;
  await visit(messaging, queue, options.limit ?? 1_000, async (message) => {
    if (idOf(message) !== id) return 'keep';
    const headers = headersOf(message);
    found = {
      ...summary(message),
      stack: text(headers[KEELSON.stack]),
      headers,
      body: message.content.subarray(0, 65_536).toString('utf8'),
    };
    return 'stop';
  });
  return found;
}

/**
 * Sends parked messages to their queue again, with the same id and a fresh retry budget; each leaves the parking lot
 * when the broker has stored its copy. Only their own queue gets them: other consumers have had theirs.
 */
async function redrive(messaging: Messaging, queue: string, options: ActOptions = {}): Promise<ActResult> {
  const { publisher } = messaging[PARKING]();
  const result = { seen: 0, matched: 0, done: 0 };
  await visit(messaging, queue, options.limit ?? 1_000, async (message) => {
    result.seen += 1;
    if (!matches(message, options)) return 'keep';
    result.matched += 1;
    if (options.dryRun === true) return 'keep';
    const { [KEELSON.code]: _code, [KEELSON.reason]: _reason, [KEELSON.stack]: _stack, ...kept } = headersOf(message);
    for (const header of [KEELSON.attempts, KEELSON.firstFailedAt, KEELSON.lastFailedAt]) delete kept[header];
    const { exchange, routingKey, redriveCount } = summary(message);
    const envelope = copyOf({ ...message, properties: { ...message.properties, headers: kept } }, queue, {
      [KEELSON.exchange]: exchange,
      [KEELSON.routingKey]: routingKey,
      [KEELSON.redriveCount]: redriveCount + 1,
    });
    await publisher.publish('', envelope, { mandatory: true, deadlineMs: 10_000 });
    result.done += 1;
    await pause(1_000 / (options.ratePerSecond ?? 200));
    return 'remove';
  });
  return result;
}

/** Deletes parked messages for good. */
async function discard(messaging: Messaging, queue: string, options: ActOptions): Promise<ActResult> {
  const result = { seen: 0, matched: 0, done: 0 };
  await visit(messaging, queue, options.limit ?? 1_000, async (message) => {
    result.seen += 1;
    if (!matches(message, options)) return 'keep';
    result.matched += 1;
    if (options.dryRun === true) return 'keep';
    result.done += 1;
    return 'remove';
  });
  return result;
}

/** What can be done with messages that were given up. Queues are named without `.parked`. */
export const parkingLot = { list, peek, redrive, discard };

/** Takes messages one by one without acknowledging, and puts back, in order, what was kept. */
async function visit(
  messaging: Messaging,
  queue: string,
  limit: number,
  look: (message: GetMessage) => Promise<'keep' | 'remove' | 'stop'>,
): Promise<void> {
  const channel = await (await messaging[PARKING]().connected()).createChannel();
  // The failure arrives as the rejected call too; without a listener Node would throw.
  channel.on('error', () => undefined);
  const name = parkedQueue(queue);
  let kept = 0;
  try {
    const { messageCount } = await channel.checkQueue(name);
    for (let seen = 0; seen < Math.min(limit, messageCount); seen += 1) {
      const message = await channel.get(name, { noAck: false });
      if (message === false) break;
      kept += 1;
      const verdict = await look(message);
      if (verdict === 'remove') {
        channel.ack(message);
        kept -= 1;
      }
      if (verdict === 'stop') break;
    }
  } finally {
    // Both fail only on a channel that is closed: then the broker has put everything back already.
    await putBack(channel, name, kept).catch(() => undefined);
    await channel.close().catch(() => undefined);
  }
}

/** The broker puts back with a delay; who looks twice in a row must not find the parking lot empty. */
async function putBack(channel: Channel, queue: string, kept: number): Promise<void> {
  if (kept === 0) return;
  channel.nackAll(true);
  for (let waited = 0; waited < 1_000; waited += 10) {
    if ((await channel.checkQueue(queue)).messageCount >= kept) return;
    await pause(10);
  }
}

const headersOf = (message: GetMessage): Headers => message.properties.headers ?? {};
const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
const idOf = (message: GetMessage): string =>
  text(headersOf(message)[CE.id]) ?? text(message.properties.messageId) ?? '';

function matches(message: GetMessage, filter: ParkedFilter): boolean {
  const { id, code, type } = summary(message);
  if (filter.ids !== undefined && !filter.ids.includes(id)) return false;
  if (filter.code !== undefined && filter.code !== code) return false;
  return filter.type === undefined || filter.type === type;
}

function summary(message: GetMessage): ParkedMessage {
  const headers = headersOf(message);
  // Without our headers the broker itself gave the message up, at its delivery limit.
  const death = (
    headers['x-death'] as { reason?: string; exchange?: string; 'routing-keys'?: string[] }[] | undefined
  )?.[0];
  return {
    id: idOf(message),
    type: text(headers[CE.type]) ?? text(message.properties.type) ?? '',
    code: text(headers[KEELSON.code]) ?? death?.reason ?? 'unknown',
    reason: text(headers[KEELSON.reason]) ?? (death === undefined ? '' : `given up by the broker: ${death.reason}`),
    attempts: countIn(headers[KEELSON.attempts]),
    firstFailedAt: text(headers[KEELSON.firstFailedAt]),
    lastFailedAt: text(headers[KEELSON.lastFailedAt]),
    exchange: text(headers[KEELSON.exchange]) ?? death?.exchange,
    routingKey: text(headers[KEELSON.routingKey]) ?? death?.['routing-keys']?.[0],
    redriveCount: countIn(headers[KEELSON.redriveCount]),
    traceId: text(headers['traceparent'])?.split('-')[1],
  };
}
