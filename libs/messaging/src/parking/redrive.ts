import type { GetMessage } from 'amqplib';
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { copyOf } from '../consume/delayed.ts';
import type { Envelope } from '../envelope/encode.ts';
import { KEELSON, type Headers } from '../envelope/headers.ts';
import { messageOf } from '../message-of.ts';
import type { Publisher } from '../publish/publisher.ts';
import type { Lot } from './lot.ts';
import { destinationOf, headersOf, idOf, matches, summary, type ParkedFilter } from './parked-message.ts';

export interface ActOptions extends ParkedFilter {
  /** Messages acted on, at most. Default 1,000. */
  limit?: number;
  /** Messages looked at, at most. Default 10,000. */
  scan?: number;
  /** Only count. */
  dryRun?: boolean;
  /** Ends after this time, with `more`. Default: when it is done. */
  maxMs?: number;
  /** Who does it, for the audit. Default: this program. */
  by?: string;
}

export interface RedriveOptions extends ActOptions {
  /** Sent again per second, at most. Default 200, so that a broken handler is not flooded. */
  ratePerSecond?: number;
  /** Stop when a message of this run comes back. Default true. */
  stopOnFailure?: boolean;
  /** Go on with an earlier call: what it sent is not sent a second time when it comes back. */
  run?: string;
  /** How long to watch for the last ones coming back. Default 500. */
  watchMs?: number;
}

/** What came of it: messages looked at, those that matched, those acted on. */
export interface ActResult {
  readonly seen: number;
  readonly matched: number;
  readonly done: number;
  /** There may be more that match. */
  readonly more: boolean;
  readonly run?: string;
  /** Why it ended early: a message failed again, or the broker did not take one. */
  readonly stopped?: { readonly code: 'failed-again' | 'not-accepted'; readonly id: string; readonly detail: string };
}

/** How often to ask whether messages came back. */
const WATCH_EVERY_MS = 100;

/**
 * Sends what matches to its own queue again: each leaves the parking lot when the broker has stored its copy, so that a
 * crash at any point leaves it there, or in the queue, or (between the two) in both, under one id. Returns the ids sent.
 */
export async function redriveFrom(
  lot: Lot,
  queue: string,
  publisher: Publisher,
  options: RedriveOptions,
): Promise<{ result: ActResult; ids: string[] }> {
  const { limit = 1_000, scan = 10_000, ratePerSecond = 200, run = randomUUID() } = options;
  const began = performance.now();
  const counts = { seen: 0, matched: 0, done: 0 };
  const ids: string[] = [];
  const cameBack = (message: GetMessage): boolean => headersOf(message)[KEELSON.redriveRun] === run;
  let watchedAt = began;
  const end = (more: boolean, stopped?: ActResult['stopped']) => ({
    result: { ...counts, more, run, ...(stopped === undefined ? {} : { stopped }) },
    ids,
  });
  const failure = async (): Promise<ActResult['stopped'] | undefined> => {
    if (options.stopOnFailure === false || counts.done === 0 || (await lot.arrived()) === 0) return undefined;
    const message = await lot.findAhead(cameBack);
    return message === undefined ? undefined : failedAgain(message);
  };

  for (;;) {
    if (counts.seen >= scan || counts.matched >= limit) return end(counts.seen < lot.initial);
    if (options.maxMs !== undefined && performance.now() - began > options.maxMs) return end(true);
    const message = await lot.next();
    if (message === undefined) break;
    counts.seen += 1;
    if (cameBack(message)) {
      if (options.stopOnFailure === false) continue;
      return end(true, failedAgain(message));
    }
    if (!matches(message, options)) continue;
    counts.matched += 1;
    if (options.dryRun === true) continue;
    try {
      const { exchange, routingKey } = destinationOf(message, queue);
      await publisher.publish(exchange, again(message, routingKey, run), { mandatory: true, deadlineMs: 10_000 });
    } catch (error) {
      return end(true, { code: 'not-accepted', id: idOf(message), detail: messageOf(error) });
    }
    lot.remove(message);
    counts.done += 1;
    ids.push(idOf(message));
    // By the clock, not by a pause after each: what a publish takes is part of the interval.
    const due = began + (counts.done / ratePerSecond) * 1_000 - performance.now();
    if (due > 1) await pause(due);
    if (performance.now() - watchedAt < WATCH_EVERY_MS) continue;
    watchedAt = performance.now();
    const stopped = await failure();
    if (stopped !== undefined) return end(true, stopped);
  }
  const until = performance.now() + (counts.done === 0 ? 0 : (options.watchMs ?? 500));
  while (performance.now() < until) {
    const stopped = await failure();
    if (stopped !== undefined) return end(true, stopped);
    await pause(50);
  }
  return end(false);
}

/** Takes out for good what matches. */
export async function discardFrom(lot: Lot, options: ActOptions): Promise<{ result: ActResult; ids: string[] }> {
  const { limit = 1_000, scan = 10_000, dryRun = false, maxMs = Number.POSITIVE_INFINITY } = options;
  const began = performance.now();
  const counts = { seen: 0, matched: 0, done: 0 };
  const ids: string[] = [];
  while (counts.seen < scan && counts.matched < limit && performance.now() - began <= maxMs) {
    const message = await lot.next();
    if (message === undefined) return { result: { ...counts, more: false }, ids };
    counts.seen += 1;
    if (!matches(message, options)) continue;
    counts.matched += 1;
    if (dryRun) continue;
    lot.remove(message);
    counts.done += 1;
    ids.push(idOf(message));
  }
  return { result: { ...counts, more: counts.seen < lot.initial }, ids };
}

/** The message as it goes out again, with the key that brings it there: same id, exchange and key; a fresh retry budget. */
export function again(message: GetMessage, to: string, run: string, added: Headers = {}): Envelope {
  const kept = { ...headersOf(message) };
  const { code, reason, stack, attempts, firstFailedAt, lastFailedAt } = KEELSON;
  for (const header of [code, reason, stack, attempts, firstFailedAt, lastFailedAt]) delete kept[header];
  const { exchange, routingKey, redriveCount } = summary(message);
  return copyOf({ ...message, properties: { ...message.properties, headers: kept } }, to, {
    [KEELSON.exchange]: exchange,
    [KEELSON.routingKey]: routingKey,
    [KEELSON.redriveCount]: redriveCount + 1,
    [KEELSON.redriveRun]: run,
    ...added,
  });
}

function failedAgain(message: GetMessage): ActResult['stopped'] {
  const { id, code, reason } = summary(message);
  return { code: 'failed-again', id, detail: `${code}: ${reason}` };
}
