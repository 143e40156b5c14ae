import { canarySpecSchema, type CanarySpec, type Decision, type Evidence } from '@keelson/contracts';
import { sqlState, type Database, type Tx } from '@keelson/persistence';
import type { DecisionDraft } from '../release/decide.ts';
import type { ReleaseState } from '../release/state.ts';

/** What tells one Canary from another, and whose it is. */
export interface CanaryIdentity {
  /** metadata.uid */
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
  readonly team: string;
}

export interface StoredRelease {
  readonly identity: CanaryIdentity;
  readonly spec: CanarySpec;
  readonly state: ReleaseState;
  readonly version: number;
}

interface ReleaseRow {
  canary_id: string;
  namespace: string;
  name: string;
  team: string;
  spec: unknown;
  release: string;
  phase: ReleaseState['phase'];
  step: number;
  weight: number;
  since: Date;
  started_at: Date;
  traffic_since: Date | null;
  failures: number;
  inconclusive_since: Date | null;
  last_look_at: Date | null;
  reason: string;
  trouble: string | null;
  evidence: Evidence[];
  version: string;
}

interface DecisionRow {
  id: string;
  canary_id: string;
  release: string;
  at: Date;
  act: Decision['act'];
  reason: string;
  actor: string;
  step: number;
  weight: number;
  evidence: Evidence[];
}

/** A write found the release, or who has its route, changed by someone else; read again and decide anew. */
export class ReleaseChanged extends Error {
  override readonly name = 'ReleaseChanged';
}

const UNIQUE_VIOLATION = '23505';

const INSERT = `
  INSERT INTO releases
    (canary_id, namespace, name, team, spec, release, phase, step, weight, since, started_at, traffic_since, failures,
     inconclusive_since, last_look_at, reason, trouble, evidence)
  VALUES ($1, $2, $3, $4, $5::jsonb, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18::jsonb)
  ON CONFLICT (canary_id) DO NOTHING`;

const UPDATE = `
  UPDATE releases SET
    namespace = $2, name = $3, team = $4, spec = $5::jsonb, release = $6, phase = $7, step = $8, weight = $9,
    since = $10, started_at = $11, traffic_since = $12, failures = $13, inconclusive_since = $14, last_look_at = $15,
    reason = $16, trouble = $17, evidence = $18::jsonb, version = version + 1
  WHERE canary_id = $1 AND version = $19`;

/** Releases and their decisions in PostgreSQL. */
export class ReleaseRepository {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async find(canaryId: string): Promise<StoredRelease | undefined> {
    const rows = await this.#database.query<ReleaseRow>('SELECT * FROM releases WHERE canary_id = $1', [canaryId]);
    return rows[0] && fromRow(rows[0]);
  }

  /** Every release of that name: the Canary's own, and those of Canaries that had the name before it. */
  async named(name: { namespace: string; name: string }): Promise<StoredRelease[]> {
    const rows = await this.#database.query<ReleaseRow>('SELECT * FROM releases WHERE namespace = $1 AND name = $2', [
      name.namespace,
      name.name,
    ]);
    return rows.map(fromRow);
  }

  /** The release under way on this host and path, in whichever namespace. */
  async onRoute(route: CanarySpec['route']): Promise<StoredRelease | undefined> {
    // The phases of the index one_release_per_route.
    const rows = await this.#database.query<ReleaseRow>(
      `SELECT * FROM releases
        WHERE spec #>> '{route,host}' = $1 AND spec #>> '{route,path}' = $2
          AND phase IN ('Pending', 'Progressing', 'Paused', 'Promoting', 'RollingBack')`,
      [route.host, route.path],
    );
    return rows[0] && fromRow(rows[0]);
  }

  async all(): Promise<StoredRelease[]> {
    return (await this.#database.query<ReleaseRow>('SELECT * FROM releases')).map(fromRow);
  }

  /** Namespace, name and phase of every release. */
  async summary(): Promise<{ namespace: string; name: string; phase: ReleaseState['phase'] }[]> {
    return this.#database.query('SELECT namespace, name, phase FROM releases');
  }

  /** Locks the release for a command, so that it and the reconciler do not decide on the same state at once. */
  async lock(tx: Tx, canaryId: string): Promise<StoredRelease | undefined> {
    const rows = await tx.query<ReleaseRow>('SELECT * FROM releases WHERE canary_id = $1 FOR UPDATE', [canaryId]);
    return rows[0] && fromRow(rows[0]);
  }

  /**
   * Writes the state; `expected` is the version it was read at, undefined for a new one. Throws {@link ReleaseChanged}
   * where another writer came first, or where another release has the route.
   */
  async save(
    tx: Tx,
    identity: CanaryIdentity,
    spec: CanarySpec,
    state: ReleaseState,
    expected: number | undefined,
  ): Promise<void> {
    const values = [
      identity.id,
      identity.namespace,
      identity.name,
      identity.team,
      JSON.stringify(spec),
      state.release,
      state.phase,
      state.step,
      state.weight,
      state.since,
      state.startedAt,
      state.trafficSince ?? null,
      state.failures,
      state.inconclusiveSince ?? null,
      state.lastLookAt ?? null,
      state.reason,
      state.trouble ?? null,
      JSON.stringify(state.evidence),
    ];
    const written = expected === undefined ? tx.execute(INSERT, values) : tx.execute(UPDATE, [...values, expected]);
    const who = `release of Canary ${identity.namespace}/${identity.name}`;
    const rows = await written.catch((error: unknown) => {
      if (sqlState(error) !== UNIQUE_VIOLATION) throw error;
      throw new ReleaseChanged(`${who}: another one has its route`, { cause: error });
    });
    // Not there any more is changed, too: a removed Canary must not come back as a row that holds its route for ever.
    if (rows === 0) throw new ReleaseChanged(who);
  }

  async record(
    tx: Tx,
    identity: CanaryIdentity,
    state: ReleaseState,
    draft: DecisionDraft,
    actor: string,
    at: Date,
  ): Promise<void> {
    await tx.query(
      `INSERT INTO decisions (canary_id, namespace, name, team, release, at, act, reason, actor, step, weight, evidence)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12::jsonb)`,
      [
        identity.id,
        identity.namespace,
        identity.name,
        identity.team,
        state.release,
        at,
        draft.act,
        draft.reason,
        actor,
        state.step,
        state.weight,
        JSON.stringify(draft.evidence),
      ],
    );
  }

  /** Forgets where a removed Canary stood; its decisions stay. */
  async remove(tx: Tx, canaryId: string): Promise<void> {
    await tx.query('DELETE FROM releases WHERE canary_id = $1', [canaryId]);
  }

  /**
   * Decisions under that name, newest first, those of earlier Canaries included; `team` leaves out other teams',
   * `before` is the id of the last one on the previous page.
   */
  async decisions(filter: {
    namespace: string;
    name: string;
    team?: string | undefined;
    release?: number | undefined;
    before?: string | undefined;
    limit: number;
  }): Promise<Decision[]> {
    const rows = await this.#database.query<DecisionRow>(
      `SELECT id, canary_id, release, at, act, reason, actor, step, weight, evidence
         FROM decisions
        WHERE namespace = $1 AND name = $2 AND ($6::text IS NULL OR team = $6)
          AND ($3::bigint IS NULL OR release = $3)
          AND ($4::uuid IS NULL OR id < $4)
        ORDER BY id DESC LIMIT $5`,
      [filter.namespace, filter.name, filter.release ?? null, filter.before ?? null, filter.limit, filter.team ?? null],
    );
    return rows.map((row) => ({
      id: row.id,
      canaryId: row.canary_id,
      release: Number(row.release),
      at: row.at.toISOString(),
      act: row.act,
      reason: row.reason,
      actor: row.actor,
      step: row.step,
      weight: row.weight,
      evidence: row.evidence,
    }));
  }
}

function fromRow(row: ReleaseRow): StoredRelease {
  return {
    identity: { id: row.canary_id, namespace: row.namespace, name: row.name, team: row.team },
    spec: canarySpecSchema.parse(row.spec),
    version: Number(row.version),
    state: {
      phase: row.phase,
      release: Number(row.release),
      step: row.step,
      weight: row.weight,
      since: row.since,
      startedAt: row.started_at,
      trafficSince: row.traffic_since ?? undefined,
      failures: row.failures,
      inconclusiveSince: row.inconclusive_since ?? undefined,
      lastLookAt: row.last_look_at ?? undefined,
      reason: row.reason,
      trouble: row.trouble ?? undefined,
      evidence: row.evidence,
    },
  };
}
