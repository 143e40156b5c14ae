/**
 * Locks shards with rows that no other relay holds, says how many have rows at all, and whether the time of any row that
 * was set aside has come. Locking shards and not rows is what keeps the order: while one relay has a row of an aggregate,
 * no other can take the next.
 */
export const LOCK_SHARDS = `
  with waiting as (
    select shard from (select shard from outbox order by id limit $1) as oldest
    union
    select shard from (select shard from outbox_deferred where until <= now() limit $1) as due
  ), locked as (
    select shard from outbox_shard where shard in (select shard from waiting)
    order by shard for update skip locked limit $2
  )
  select array(select shard from locked) as shards, (select count(*) from waiting)::int as waiting,
         exists (select 1 from outbox_deferred where until <= now()) as due`;

/** Puts back, under their old ids and so in front, the rows of aggregates whose time has come. */
export const RETURN_DUE = `
  with due as (
    select distinct aggregate from outbox_deferred where shard = any($1::smallint[]) and until <= now() limit $2
  ), back as (
    delete from outbox_deferred where shard = any($1::smallint[]) and aggregate in (select aggregate from due) returning *
  )
  insert into outbox (id, aggregate, message_id, routing_key, mandatory, headers, body, created_at, refusals)
  overriding system value
  select id, aggregate, message_id, routing_key, mandatory, headers, body, created_at, refusals from back`;

/** A statement of its own, after the lock: it sees what the last holder of these shards has deleted. */
export const READ = `
  select id, aggregate, message_id, routing_key, mandatory, headers, body, refusals,
         exists (select 1 from outbox_deferred as d where d.aggregate = o.aggregate) as behind
  from outbox as o where shard = any($1::smallint[]) order by id limit $2`;

export const DELETE = 'delete from outbox where id = any($1::bigint[])';

/**
 * Sets rows aside for the milliseconds given, or until what was set aside of their aggregate before comes back, each with
 * how often it was refused. By the clock of the database, which is the same for all relays and is looked at above, too.
 */
export const DEFER = `
  with gone as (delete from outbox where id = any($1::bigint[]) returning *)
  insert into outbox_deferred (id, shard, aggregate, message_id, routing_key, mandatory, headers, body, created_at, refusals, until)
  select id, shard, aggregate, message_id, routing_key, mandatory, headers, body, created_at, given.refusals,
         coalesce((select max(until) from outbox_deferred as d where d.aggregate = gone.aggregate),
                  statement_timestamp() + make_interval(secs => given.delay_ms / 1000.0))
  from gone join unnest($1::bigint[], $2::smallint[], $3::int[]) as given (id, refusals, delay_ms) using (id)`;

export const LAG = `
  select (select count(*) from (select 1 from outbox limit 100000) as counted)::int as ready,
         (select count(*) from (select 1 from outbox_deferred limit 100000) as counted)::int as deferred,
         extract(epoch from clock_timestamp() - least(
           (select created_at from outbox order by id limit 1),
           (select created_at from outbox_deferred order by id limit 1)))::float8 as seconds`;
