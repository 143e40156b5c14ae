import { ListWatch, resources, type Gap, type KubernetesClient, type Resource } from '@keelson/kubernetes';
import { AdvisoryLock, sqlState, type Database, type LockSession } from '@keelson/persistence';
import { setTimeout as pause } from 'node:timers/promises';
import type { GapLedger } from '../journal/gap-ledger.ts';
import type { Journal } from '../journal/journal.ts';
import type { NewEntry } from '../journal/entry.ts';
import { MALFORMED, malformedEvent, normalise, type KubernetesEvent } from './normalise.ts';
import type { WatchPositions } from './positions.ts';

/** Which of the two views of Events is watched; both show every event. */
export type EventApi = 'v1' | 'events.k8s.io/v1';

const RESOURCES: Record<EventApi, Resource<never>> = {
  v1: resources.events,
  'events.k8s.io/v1': resources.eventsV1,
};

/** Events that came while the last batch was being written are written together, so many at most. */
const BATCH = 500;
const RETRY_MS = 500;

export interface EventWatchParts {
  readonly client: KubernetesClient;
  readonly cluster: string;
  readonly api: EventApi;
  readonly database: Database;
  readonly journal: Journal;
  readonly positions: WatchPositions;
  readonly gaps: GapLedger;
  readonly clock: { now(): Date };
  readonly received: (count: number) => void;
  readonly log: { info(fields: object, message: string): void; warn(fields: object, message: string): void };
}

/** What waits to be written. Without a resourceVersion nothing may be concluded from it being there, see onSync. */
interface Waiting {
  readonly entry?: NewEntry;
  readonly resourceVersion?: string;
}

/**
 * Reads the Events of one cluster into the journal. The resourceVersion is stored in the transaction that stores the
 * events up to it, so that a restart goes on exactly there. What the API server no longer had is written into the loss
 * ledger. Of several replicas one watches: the one that holds the advisory lock.
 */
export class EventWatch {
  readonly #parts: EventWatchParts;
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;
  #watch: ListWatch | undefined;
  #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;

  constructor(parts: EventWatchParts) {
    this.#parts = parts;
  }

  get api(): EventApi {
    return this.#parts.api;
  }

  /** `watching`, `listing`, `waiting` (for the API server), or `standby` where another replica watches. */
  get state(): string {
    return this.#watch?.state ?? 'standby';
  }

  /** When the API server was last heard; undefined where another replica watches. */
  get heardAt(): Date | undefined {
    return this.#watch?.heardAt;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { database, cluster, api, log } = this.#parts;
    const lock = new AdvisoryLock(database, `watch/${cluster}/${api}`);
    while (!this.#stopping.signal.aborted) {
      try {
        await lock.tryRun((session) => this.#watchWhileHolding(session));
      } catch (error) {
        log.warn({ cluster, api, reason: String(error) }, 'the watch of Events cannot start; trying again');
      }
      await pause(RETRY_MS, undefined, { signal: this.#stopping.signal }).catch(() => undefined); // stopped
    }
  }

  /** Until the service stops or the lock is lost: then another replica may watch, and this one must ask again. */
  async #watchWhileHolding({ lost }: LockSession): Promise<void> {
    const { client, cluster, api, positions, log } = this.#parts;
    const position = await positions.find(cluster, api);
    this.#waiting = [];
    this.#watch = new ListWatch<KubernetesEvent & { metadata: object }>({
      client,
      resource: RESOURCES[api],
      resourceVersion: position?.resourceVersion,
      resourceVersionAt: position?.at,
      onSync: (items, resourceVersion) => {
        // Items of a list are in no order of time: only with the last of them everything up to its version is there.
        for (const item of items) void this.#take(item, undefined);
        return this.#enqueue({ resourceVersion });
      },
      onEvent: (type, object, resourceVersion) => {
        // Deleted means expired: the journal has it already, and keeps it.
        return type === 'DELETED' ? this.#enqueue({ resourceVersion }) : this.#take(object, resourceVersion);
      },
      onBookmark: (resourceVersion) => this.#enqueue({ resourceVersion }),
      onGap: (gap) => this.#recordGap(gap),
      onError: (error, next) =>
        log.warn(
          { cluster, api, reason: String(error), retryInMs: Math.round(next.retryInMs) },
          'the watch of Events broke',
        ),
    }) as ListWatch;
    log.info({ cluster, api, from: position?.resourceVersion ?? 'a list' }, 'watching Events');
    this.#watch.start();
    try {
      await aborted(this.#stopping.signal, lost);
    } finally {
      await this.#watch.stop();
      await this.#writing;
      this.#watch = undefined;
    }
  }

  #take(object: KubernetesEvent, resourceVersion: string | undefined): Promise<void> | void {
    const { cluster, clock, received } = this.#parts;
    received(1);
    let entry: NewEntry;
    try {
      entry = normalise(object, cluster, clock.now());
    } catch (error) {
      entry = malformedEvent(object, cluster, (error as Error).message, clock.now());
    }
    return this.#enqueue({ entry, ...(resourceVersion === undefined ? {} : { resourceVersion }) });
  }

  /** Queues an event for the next batch; waits only when the queue is full, which holds the watch back. */
  #enqueue(item: Waiting): Promise<void> | void {
    this.#waiting.push(item);
    this.#writing ??= this.#write();
    return this.#waiting.length > 2 * BATCH ? this.#writing : undefined;
  }

  async #write(): Promise<void> {
    try {
      while (this.#waiting.length > 0) {
        const batch = this.#waiting.slice(0, BATCH);
        if (!(await this.#store(batch))) return;
        this.#waiting.splice(0, batch.length);
      }
    } finally {
      // In the same turn in which the queue was seen to be empty: what comes next starts a new one.
      this.#writing = undefined;
    }
  }

  /** Writes a batch, however long the database is away; false when the service stops before: the next start reads it again. */
  async #store(batch: readonly Waiting[]): Promise<boolean> {
    const { cluster, api, database, journal, positions, clock, log } = this.#parts;
    const entries = batch.map(({ entry }) => entry).filter((entry) => entry !== undefined);
    const resourceVersion = batch.findLast((item) => item.resourceVersion !== undefined)?.resourceVersion;
    for (;;) {
      try {
        await database.transaction(async (tx) => {
          await journal.appendIn(tx, entries);
          if (resourceVersion !== undefined) await positions.save(tx, cluster, api, resourceVersion, clock.now());
        });
        return true;
      } catch (error) {
        const apart = isFaultOfTheData(error) ? this.#apart(batch, error as Error) : undefined;
        if (apart !== undefined) return this.#storeEach(apart);
        if (this.#stopping.signal.aborted) return false;
        log.warn({ cluster, api, events: entries.length, reason: String(error) }, 'events wait for the database');
        await pause(RETRY_MS, undefined, { signal: this.#stopping.signal }).catch(() => undefined); // stopped
      }
    }
  }

  async #storeEach(items: readonly Waiting[]): Promise<boolean> {
    for (const item of items) if (!(await this.#store([item]))) return false;
    return true;
  }

  /**
   * One of the batch cannot be stored as it is: each by itself finds it, and in the place of that one what was wrong with
   * it. Undefined where that was tried already.
   */
  #apart(batch: readonly Waiting[], fault: Error): readonly Waiting[] | undefined {
    if (batch.length > 1) return batch;
    const [only] = batch;
    if (only?.entry === undefined || only.entry.reason === MALFORMED) return undefined;
    const { cluster, clock, log } = this.#parts;
    log.warn({ cluster, reason: fault.message }, 'an Event cannot be stored as it is');
    return [{ ...only, entry: malformedEvent(only.entry.original, cluster, fault.message, clock.now()) }];
  }

  async #recordGap(gap: Gap): Promise<void> {
    const { cluster, gaps, clock } = this.#parts;
    const to = clock.now();
    await gaps.record({
      cluster,
      cause: 'expired-resource-version',
      from: gap.from.at ?? to,
      to,
      detail: `events between resourceVersion ${gap.from.resourceVersion} and ${gap.to.resourceVersion} had expired before they were read; ${gap.changed} newer ones were still there: ${gap.message}`,
    });
  }
}

/** SQLSTATE classes of what is wrong with the values themselves: data, integrity, limits. PostgreSQL manual, appendix A. */
const isFaultOfTheData = (error: unknown): boolean => /^(22|23|54)/.test(sqlState(error) ?? '');

function aborted(...signals: readonly AbortSignal[]): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      for (const signal of signals) signal.removeEventListener('abort', end);
      resolve();
    };
    for (const signal of signals) signal.addEventListener('abort', end);
    if (signals.some((signal) => signal.aborted)) end();
  });
}
