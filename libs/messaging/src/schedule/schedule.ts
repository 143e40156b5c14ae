import type { MessageDefinition, Payload } from '@keelson/contracts';
import type { Tx } from '@keelson/persistence';
import { randomUUID } from 'node:crypto';
import { outboxParameters, type OutboxOptions } from '../outbox/outbox.ts';
import { CANCEL, SCHEDULE } from './statements.ts';
import { wakeSchedulers } from './wake.ts';

export type ScheduleOptions = Omit<OutboxOptions, 'id' | 'time'> & {
  /**
   * What to cancel it by, unique in this database: `order/<id>/payment-timeout`. Scheduling under an id that waits
   * already replaces it. Default: a new UUID.
   */
  id?: string;
} & (
    | { /** When it is due. In the past: at once. */ at: Date }
    | { /** Due so many milliseconds from now. */ afterMs: number }
  );

/** PostgreSQL's timestamps go further, JavaScript's dates do not. */
const MAX_AFTER_MS = 100 * 365 * 86_400_000;

export type ScheduleEntry<M extends MessageDefinition = MessageDefinition> = ScheduleOptions & {
  definition: M;
  payload: Payload<M>;
};

/**
 * Keeps the message in the database until it is due; a scheduler then hands it to the outbox. It is kept if and only
 * if the transaction commits, survives any restart, and leaves at least once, unless cancelled before. Returns the id
 * for {@link cancelScheduled}. Throws InvalidMessageError, MessageTooLargeError, and TypeError for a time that is none.
 */
export async function schedule<M extends MessageDefinition>(
  tx: Tx,
  definition: M,
  payload: Payload<M>,
  options: ScheduleOptions,
): Promise<string> {
  const [id] = await scheduleAll(tx, [{ ...options, definition, payload }]);
  return id!;
}

/** {@link schedule} for several messages in one statement; their ids in the order given. Of one id twice, the later. */
export async function scheduleAll(tx: Tx, entries: readonly ScheduleEntry[]): Promise<string[]> {
  const rows = entries.map((entry) => {
    const { definition, id = randomUUID() } = entry;
    const { at, afterMs } = dueOf(definition.routingKey, entry);
    if (id === '')
      throw new TypeError(`schedule ${definition.routingKey}: id is empty; leave it out for one made here`);
    return { entry, id, at, afterMs };
  });
  if (rows.length === 0) return [];
  // One statement must not meet a row twice.
  const last = [...new Map(rows.map((row) => [row.id, row])).values()];
  const columns = outboxParameters(
    tx.database.name,
    last.map(({ entry, at, afterMs }) => {
      const { id: _id, ...rest } = entry;
      return { ...rest, time: at ?? new Date(Date.now() + (afterMs ?? 0)) };
    }),
  );
  await tx.execute(SCHEDULE, [
    last.map(({ id }) => id),
    last.map(({ at }) => at ?? null),
    last.map(({ afterMs }) => afterMs ?? null),
    ...columns,
  ]);
  tx.afterCommit(() => wakeSchedulers(tx.database));
  return rows.map(({ id }) => id);
}

/**
 * Takes a scheduled message back, if and only if the transaction commits. False when nothing waits under this id any
 * more: it has left, was cancelled before, or never was. One that has left may still be on its way: its handler has to
 * look whether it still matters.
 */
export const cancelScheduled = async (tx: Tx, id: string): Promise<boolean> =>
  (await cancelAllScheduled(tx, [id])) === 1;

/** {@link cancelScheduled} for several in one statement; how many waited. */
export const cancelAllScheduled = (tx: Tx, ids: readonly string[]): Promise<number> => tx.execute(CANCEL, [ids]);

function dueOf(routingKey: string, options: ScheduleOptions): { at?: Date; afterMs?: number } {
  const { at, afterMs } = options as { at?: Date | string; afterMs?: unknown };
  if ((at === undefined) === (afterMs === undefined)) {
    throw new TypeError(`schedule ${routingKey}: give either at (a Date) or afterMs`);
  }
  if (at !== undefined) {
    if (at instanceof Date && !Number.isNaN(at.getTime())) return { at };
    throw new TypeError(`schedule ${routingKey}: at is ${String(at)}; it has to be a valid Date`);
  }
  if (typeof afterMs === 'number' && afterMs >= 0 && afterMs <= MAX_AFTER_MS) return { afterMs };
  throw new TypeError(`schedule ${routingKey}: afterMs is ${String(afterMs)}; allowed are 0 to ${MAX_AFTER_MS}`);
}
