/**
 * The same id again replaces what waits under it. A time of its own wins over a delay; a delay counts on the clock of
 * the database, the one that the scheduler looks at.
 */
export const SCHEDULE = `
  insert into scheduled_message (id, due_at, aggregate, message_id, routing_key, mandatory, headers, body)
  select id, coalesce(due_at, statement_timestamp() + make_interval(secs => after_ms / 1000)),
         aggregate, message_id, routing_key, mandatory, headers, body
  from unnest($1::text[], $2::timestamptz[], $3::float8[], $4::text[], $5::uuid[], $6::text[], $7::boolean[],
              $8::jsonb[], $9::text[])
    as t (id, due_at, after_ms, aggregate, message_id, routing_key, mandatory, headers, body)
  on conflict (id) do update set
    due_at = excluded.due_at, aggregate = excluded.aggregate, message_id = excluded.message_id,
    routing_key = excluded.routing_key, mandatory = excluded.mandatory, headers = excluded.headers, body = excluded.body`;

/** Waits for a scheduler that has just taken the row: afterwards it is gone for both or left for us. */
export const CANCEL = 'delete from scheduled_message where id = any($1::text[])';

/**
 * Moves up to $2 messages that are due into the outbox, oldest first, in one statement: each is in exactly one of the
 * two tables at any moment. Schedulers side by side skip what another one has.
 */
export const DISPATCH = `
  with due as (
    select id from scheduled_message where due_at <= coalesce($1::timestamptz, statement_timestamp())
    order by due_at limit $2 for update skip locked
  ), gone as (
    delete from scheduled_message where id in (select id from due) returning *
  )
  insert into outbox (aggregate, message_id, routing_key, mandatory, headers, body)
  select aggregate, message_id, routing_key, mandatory, headers, body from gone order by due_at, id`;

/** Milliseconds until the next one is due, below 0 when it is late; null when nothing waits. */
export const NEXT = `
  select extract(epoch from min(due_at) - coalesce($1::timestamptz, statement_timestamp()))::float8 * 1000 as ms
  from scheduled_message`;

export const WAITING = `
  select (select count(*) from (select 1 from scheduled_message limit 100000) as counted)::int as rows,
         extract(epoch from coalesce($1::timestamptz, statement_timestamp()) - min(due_at))::float8 as seconds
  from scheduled_message`;
