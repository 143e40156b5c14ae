import type { Tx } from '@keelson/persistence';
import type { Envelope } from '../envelope/encode.ts';
import { CE, type Headers } from '../envelope/headers.ts';
import { BrokerBlockedError, ClosedError, PublishBufferFullError, PublishUncertainError } from '../errors.ts';
import type { Publisher } from '../publish/publisher.ts';
import { DEFER, DELETE, LOCK_SHARDS, READ, RETURN_DUE } from './statements.ts';

export interface OutboxRow {
  id: string;
  aggregate: string;
  message_id: string;
  routing_key: string;
  mandatory: boolean;
  headers: Headers;
  body: string;
  refusals: number;
  /** Rows of its aggregate were set aside before it. */
  behind: boolean;
}

export interface BatchOptions {
  publisher: Publisher;
  exchange: string;
  /** Rows at most. */
  size: number;
  /** Shards at most, so that other relays find some too. */
  shards: number;
  deadlineMs: number;
  /** After so long no further row is sent, so that the transaction ends and what was confirmed is noted. */
  budgetMs: number;
}

export interface BatchResult {
  readonly published: number;
  /** Rows the broker would not take, each with the reason: set aside. */
  readonly refused: readonly { readonly row: OutboxRow; readonly error: Error }[];
  /** Some rows stay for want of a connection. */
  readonly stalled: boolean;
  /** It ended at one of its limits: there may be more. */
  readonly full: boolean;
  /** There were rows in shards that other relays held: they may have seen them, or not. */
  readonly contested: boolean;
}

/** The longest a refused row waits to be tried again. */
const LONGEST_MS = 30_000;

/**
 * Publishes up to `size` rows and deletes those confirmed; the transaction holds their shards meanwhile. What the
 * broker refuses (no queue takes it, the queue is full) is set aside together with what follows in its aggregate, so
 * that it keeps its order and holds nobody else up.
 */
export async function relayBatch(tx: Tx, options: BatchOptions): Promise<BatchResult> {
  const [found] = await tx.query<{ shards: number[]; waiting: number; due: boolean }>(LOCK_SHARDS, [
    options.size,
    options.shards,
  ]);
  const { shards, waiting, due } = found!;
  const full = shards.length === options.shards;
  const contested = !full && waiting > shards.length;
  if (shards.length === 0) return { published: 0, refused: [], stalled: false, full, contested };
  // Sent together: one round trip.
  const [, rows] = await Promise.all([
    due ? tx.execute(RETURN_DUE, [shards, options.size]) : undefined,
    tx.query<OutboxRow>(READ, [shards, options.size]),
  ]);
  const lines = new Map<string, OutboxRow[]>();
  for (const row of rows) {
    const line = lines.get(row.aggregate);
    if (line === undefined) lines.set(row.aggregate, [row]);
    else line.push(row);
  }
  const until = performance.now() + options.budgetMs;
  const ends = await Promise.all([...lines.values()].map((line) => publishLine(line, options, until)));
  const confirmed = ends.flatMap((end) => end.confirmed);
  const deferred = ends.flatMap((end) => end.deferred);
  await Promise.all([
    confirmed.length > 0 ? tx.execute(DELETE, [confirmed]) : undefined,
    deferred.length > 0 ? tx.execute(DEFER, columnsOf(deferred)) : undefined,
  ]);
  return {
    published: confirmed.length,
    refused: ends.flatMap((end) => (end.refused === undefined ? [] : [end.refused])),
    stalled: ends.some((end) => end.stalled === true),
    full: full || rows.length === options.size || confirmed.length + deferred.length < rows.length,
    contested,
  };
}

interface Deferred {
  readonly id: string;
  readonly refusals: number;
  readonly delayMs: number;
}

interface LineEnd {
  readonly confirmed: string[];
  readonly deferred: Deferred[];
  readonly refused?: { readonly row: OutboxRow; readonly error: Error };
  readonly stalled?: boolean;
}

/**
 * The rows of one aggregate, one after the other: the next leaves when the one before is safe. Rows that are left over
 * at `until`, a time of the monotonic clock, are for the next batch.
 */
async function publishLine(line: readonly OutboxRow[], options: BatchOptions, until: number): Promise<LineEnd> {
  const confirmed: string[] = [];
  if (line[0]?.behind === true) return { confirmed, deferred: line.map((row) => ({ ...row, delayMs: 0 })) };
  for (const [index, row] of line.entries()) {
    if (index > 0 && performance.now() > until) break;
    const { publisher, exchange, deadlineMs } = options;
    try {
      await publisher.publish(exchange, envelopeOf(row), { mandatory: row.mandatory, deadlineMs });
      confirmed.push(row.id);
    } catch (error) {
      if (isOurTrouble(error)) return { confirmed, deferred: [], stalled: true };
      const refusals = Math.min(1_000, row.refusals + 1);
      const delayMs = Math.min(LONGEST_MS, 250 * 2 ** Math.min(refusals, 20));
      const following = line.slice(index + 1).map((next) => ({ id: next.id, refusals: next.refusals, delayMs }));
      const deferred = [{ id: row.id, refusals, delayMs }, ...following];
      return { confirmed, deferred, refused: { row: { ...row, refusals }, error: error as Error } };
    }
  }
  return { confirmed, deferred: [] };
}

/** Failures that say nothing about the row: it simply stays. */
const isOurTrouble = (error: unknown): boolean =>
  error instanceof PublishUncertainError ||
  error instanceof BrokerBlockedError ||
  error instanceof PublishBufferFullError ||
  error instanceof ClosedError;

const columnsOf = (deferred: readonly Deferred[]): [string[], number[], number[]] => [
  deferred.map((row) => row.id),
  deferred.map((row) => row.refusals),
  deferred.map((row) => row.delayMs),
];

const envelopeOf = (row: OutboxRow): Envelope => ({
  id: row.message_id,
  routingKey: row.routing_key,
  body: Buffer.from(row.body),
  headers: row.headers,
  timestamp: Date.parse(String(row.headers[CE.time])) || Date.now(),
});
