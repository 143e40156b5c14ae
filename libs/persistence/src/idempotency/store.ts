import { randomUUID } from 'node:crypto';
import type { Database } from '../database.ts';

interface Scope {
  readonly key: string;
  readonly team: string;
  readonly operation: string;
}

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly contentType?: string;
}

type Begin =
  | { readonly kind: 'begun'; readonly claim: string }
  | { readonly kind: 'replay'; readonly answer: Answer }
  | { readonly kind: 'reused' }
  | { readonly kind: 'in-progress'; readonly retryAfterSeconds: number };

interface Runner {
  query<Row>(sql: string, parameters?: unknown[]): Promise<Row[]>;
}

interface Row {
  fingerprint: string;
  status: number | null;
  body: string | null;
  content_type: string | null;
  seconds_left: number;
}

export interface IdempotencyOptions {
  /** How long one request may hold a key before another may take it over; above any request's time limit. Default 60. */
  claimSeconds?: number;
  /** How long an answer is kept. Default 24. */
  keepHours?: number;
}

// A key is free when nobody has it, when its holder died (the claim ran out without an answer), or when it is too old.
const CLAIM = `
  insert into idempotency_keys as kept (team, operation, key, fingerprint, claim, claimed_until)
  values ($1, $2, $3, $4, $5, now() + make_interval(secs => $6))
  on conflict (team, operation, key) do update
    set fingerprint = excluded.fingerprint, claim = excluded.claim, claimed_until = excluded.claimed_until,
        status = null, body = null, content_type = null, created_at = now()
    where (kept.status is null and kept.claimed_until < now()) or kept.created_at < now() - make_interval(hours => $7)
  returning claim`;

const LOOK = `
  select fingerprint, status, body, content_type, extract(epoch from claimed_until - now())::float8 as seconds_left
  from idempotency_keys where team = $1 and operation = $2 and key = $3`;

const FINISH = `
  update idempotency_keys set status = $5, body = $6, content_type = $7
  where team = $1 and operation = $2 and key = $3 and claim = $4 and status is null returning 1`;

const ABANDON =
  'delete from idempotency_keys where team = $1 and operation = $2 and key = $3 and claim = $4 and status is null';

const CLEAN = `
  delete from idempotency_keys where ctid = any (array(
    select ctid from idempotency_keys where created_at < now() - make_interval(hours => $1) order by created_at limit 1000))`;

/** service-kit's IdempotencyStore on the service's own database, safe across processes. Needs idempotencyMigrations. */
export class PostgresIdempotencyStore {
  readonly #database: Database;
  readonly #claimSeconds: number;
  readonly #keepHours: number;
  #cleanedAt = -60_000;

  constructor(database: Database, options: IdempotencyOptions = {}) {
    this.#database = database;
    this.#claimSeconds = options.claimSeconds ?? 60;
    this.#keepHours = options.keepHours ?? 24;
  }

  async begin(scope: Scope, fingerprint: string): Promise<Begin> {
    this.#clean();
    const { team, operation, key } = scope;
    const claim = randomUUID();
    const claimed = await this.#database.query(CLAIM, [
      team,
      operation,
      key,
      fingerprint,
      claim,
      this.#claimSeconds,
      this.#keepHours,
    ]);
    if (claimed.length > 0) return { kind: 'begun', claim };
    const [row] = await this.#database.query<Row>(LOOK, [team, operation, key]);
    // Given up between the two statements: the caller's retry finds it free.
    if (row === undefined) return { kind: 'in-progress', retryAfterSeconds: 1 };
    if (row.fingerprint !== fingerprint) return { kind: 'reused' };
    if (row.status === null)
      return { kind: 'in-progress', retryAfterSeconds: Math.min(5, Math.max(1, Math.ceil(row.seconds_left))) };
    return {
      kind: 'replay',
      answer: { status: row.status, body: row.body ?? '', contentType: row.content_type ?? undefined },
    };
  }

  async finish(scope: Scope, claim: string, answer: Answer, tx: Runner = this.#database): Promise<boolean> {
    const { team, operation, key } = scope;
    const rows = await tx.query(FINISH, [
      team,
      operation,
      key,
      claim,
      answer.status,
      answer.body,
      answer.contentType ?? null,
    ]);
    return rows.length === 1;
  }

  async abandon(scope: Scope, claim: string): Promise<void> {
    await this.#database.execute(ABANDON, [scope.team, scope.operation, scope.key, claim]);
  }

  /** Once a minute at most, a thousand rows at most, beside the request that happened to come by. */
  #clean(): void {
    const now = performance.now();
    if (now - this.#cleanedAt < 60_000) return;
    this.#cleanedAt = now;
    // The next minute tries again; what is left over only takes space.
    this.#database.execute(CLEAN, [this.#keepHours]).catch(() => undefined);
  }
}
