import type { Database, Tx } from '@keelson/persistence';
import { type OutboxEntry, outboxParameters } from '../outbox/outbox.ts';
import { wakeRelays } from '../outbox/wake.ts';
import type { SagaSnapshot, SagaState, StepRecord } from './snapshot.ts';

interface Row {
  name: string;
  key: string;
  definition_version: number;
  version: number;
  state: SagaState;
  reason: string | null;
  data: unknown;
  steps: Record<string, StepRecord>;
  waiting_for: string | null;
  started_at: Date;
  ended_at: Date | null;
  due_at: Date | null;
}

const READ = 'select * from saga where name = $1 and key = $2';

const CLAIM = `
  select * from saga where name = $1 and waiting_for = $2 order by key limit $3 for update skip locked`;

// While a message about it still lies in the outbox, or was refused and is set aside, nobody can have answered it, so its
// time does not run out.
const DUE = `
  select * from saga as s where s.name = $1 and s.due_at <= $2
     and not exists (select 1 from outbox as o where o.aggregate = s.key)
     and not exists (select 1 from outbox_deferred as d where d.aggregate = s.key)
   order by s.due_at limit $3 for update skip locked`;

/**
 * New states and what they make the saga say, in one statement. A row that has changed since it was read is left alone,
 * and so are its messages: its key is then missing in the answer.
 */
const WRITE = `
  with wanted as materialized (
    select * from jsonb_to_recordset($1::jsonb) as w(name text, key text, definition_version smallint, version int, state text,
      reason text, data jsonb, steps jsonb, waiting_for text, started_at timestamptz, ended_at timestamptz, due_at timestamptz)
  ), begun as (
    insert into saga (name, key, definition_version, version, state, reason, data, steps, waiting_for, started_at, ended_at, due_at)
    select name, key, definition_version, 1, state, reason, data, steps, waiting_for, started_at, ended_at, due_at
      from wanted where version = 0
    on conflict do nothing returning key
  ), moved as (
    update saga as s set version = s.version + 1, state = w.state, reason = w.reason, steps = w.steps,
           waiting_for = w.waiting_for, ended_at = w.ended_at, due_at = w.due_at
      from wanted as w where w.version > 0 and s.name = w.name and s.key = w.key and s.version = w.version
    returning s.key
  ), written as (
    select key from begun union all select key from moved
  ), sent as (
    insert into outbox (aggregate, message_id, routing_key, mandatory, headers, body)
    select aggregate, message_id, routing_key, mandatory, headers, body
      from unnest($2::text[], $3::uuid[], $4::text[], $5::boolean[], $6::jsonb[], $7::text[])
        with ordinality as t (aggregate, message_id, routing_key, mandatory, headers, body, position)
     where aggregate in (select key from written) order by position
  )
  select key from written`;

/** A new state with the messages that go out with it; their aggregate is the saga's key. */
export interface SagaChange<Data> {
  readonly next: SagaSnapshot<Data>;
  readonly messages: readonly OutboxEntry[];
}

export const readSaga = async <Data>(
  from: Pick<Tx | Database, 'query'>,
  name: string,
  key: string,
): Promise<SagaSnapshot<Data> | undefined> => snapshotsOf<Data>(await from.query<Row>(READ, [name, key]))[0];

/** Those that wait for this local work, locked until the transaction ends; what others hold is left out. */
export const claimWaiting = async <Data>(
  tx: Tx,
  name: string,
  work: string,
  limit: number,
): Promise<SagaSnapshot<Data>[]> => snapshotsOf(await tx.query<Row>(CLAIM, [name, work, limit]));

/** Those whose time is up, locked likewise. */
export const claimDue = async <Data>(tx: Tx, name: string, now: Date, limit: number): Promise<SagaSnapshot<Data>[]> =>
  snapshotsOf(await tx.query<Row>(DUE, [name, now, limit]));

/** Returns the keys of those that were written; the others had changed meanwhile. */
export async function writeSagas<Data>(tx: Tx, changes: readonly SagaChange<Data>[]): Promise<Set<string>> {
  const messages = changes.flatMap((change) => change.messages);
  const rows = changes.map(({ next }) => ({
    name: next.name,
    key: next.key,
    definition_version: next.definitionVersion,
    version: next.version,
    state: next.state,
    reason: next.reason,
    data: next.data,
    steps: next.steps,
    waiting_for: next.waitingFor,
    started_at: next.startedAt,
    ended_at: next.endedAt,
    due_at: next.dueAt,
  }));
  const written = await tx.query<{ key: string }>(WRITE, [
    JSON.stringify(rows),
    ...outboxParameters(tx.database.name, messages),
  ]);
  if (messages.length > 0) tx.afterCommit(() => wakeRelays(tx.database));
  return new Set(written.map(({ key }) => key));
}

const snapshotsOf = <Data>(rows: readonly Row[]): SagaSnapshot<Data>[] =>
  rows.map((row) => ({
    name: row.name,
    key: row.key,
    definitionVersion: row.definition_version,
    version: row.version,
    state: row.state,
    ...(row.reason === null ? {} : { reason: row.reason }),
    data: row.data as Data,
    steps: row.steps,
    ...(row.waiting_for === null ? {} : { waitingFor: row.waiting_for }),
    startedAt: row.started_at,
    ...(row.ended_at === null ? {} : { endedAt: row.ended_at }),
    ...(row.due_at === null ? {} : { dueAt: row.due_at }),
  }));
