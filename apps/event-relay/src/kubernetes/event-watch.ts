import { ListWatch, resources, type Gap, type KubernetesClient, type Resource } from '@keelson/kubernetes';
import { AdvisoryLock, type Database } from '@keelson/persistence';
import { setTimeout as pause } from 'node:timers/promises';
import type { GapLedger } from '../journal/gap-ledger.ts';
import type { Journal } from '../journal/journal.ts';
import type { NewEntry } from '../journal/entry.ts';
import { normalise, type KubernetesEvent } from './normalise.ts';
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
  #waiting: { entry: NewEntry | undefined; resourceVersion: string }[] = [];
  #writing: Promise<void> | undefined;

  constructor(parts: EventWatchParts) {
    this.#parts = parts;
  }

  /** `watching`, `listing`, `waiting` (for the API server), or `standby` where another replica watches. */
  get state(): string {
    return this.#watch?.state ?? 'standby';
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
        await lock.tryRun(() => this.#watchUntilStopped());
      } catch (error) {
        log.warn({ cluster, api, reason: String(error) }, 'the watch of Events cannot start; trying again');
      }
      await pause(RETRY_MS, undefined, { signal: this.#stopping.signal }).catch(() => undefined); // stopped
    }
  }

  async #watchUntilStopped(): Promise<void> {
    const { client, cluster, api, positions, log } = this.#parts;
    const { signal } = this.#stopping;
    const position = await positions.find(cluster, api);
    this.#watch = new ListWatch<KubernetesEvent & { metadata: object }>({
      client,
      resource: RESOURCES[api],
      resourceVersion: position?.resourceVersion,
      resourceVersionAt: position?.at,
      onSync: (items, resourceVersion) => {
        for (const item of items) void this.#take(item, item.metadata.resourceVersion ?? resourceVersion);
        return this.#enqueue(undefined, resourceVersion);
      },
      onEvent: (type, object, resourceVersion) => {
        // Deleted means expired: the journal has it already, and keeps it.
        return type === 'DELETED' ? this.#enqueue(undefined, resourceVersion) : this.#take(object, resourceVersion);
      },
      onBookmark: (resourceVersion) => this.#enqueue(undefined, resourceVersion),
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
      if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    } finally {
      await this.#watch.stop();
      await this.#writing;
      this.#watch = undefined;
    }
  }

  #take(object: KubernetesEvent, resourceVersion: string): Promise<void> | void {
    const { cluster, clock, log } = this.#parts;
    this.#parts.received(1);
    try {
      return this.#enqueue(normalise(object, cluster, clock.now()), resourceVersion);
    } catch (error) {
      log.warn(
        { cluster, name: object.metadata?.name, reason: String(error) },
        'passed over an object that is no Event',
      );
      return this.#enqueue(undefined, resourceVersion);
    }
  }

  /** Queues an event for the next batch; waits only when the queue is full, which holds the watch back. */
  #enqueue(entry: NewEntry | undefined, resourceVersion: string): Promise<void> | void {
    this.#waiting.push({ entry, resourceVersion });
    this.#writing ??= this.#write().finally(() => (this.#writing = undefined));
    return this.#waiting.length > 2 * BATCH ? this.#writing : undefined;
  }

  async #write(): Promise<void> {
    const { cluster, api, database, journal, positions, clock, log } = this.#parts;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.slice(0, BATCH);
      const entries = batch.map((item) => item.entry).filter((entry) => entry !== undefined);
      const { resourceVersion } = batch.at(-1)!;
      try {
        await database.transaction(async (tx) => {
          await journal.appendIn(tx, entries);
          await positions.save(tx, cluster, api, resourceVersion, clock.now());
        });
        this.#waiting.splice(0, batch.length);
      } catch (error) {
        if (this.#stopping.signal.aborted) return; // not stored, so the next start reads it again
        log.warn({ cluster, api, events: entries.length, reason: String(error) }, 'events wait for the database');
        await pause(RETRY_MS);
      }
    }
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
