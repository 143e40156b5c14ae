import { backoffDelayMs, defaultBackoff, pause, type BackoffOptions } from './backoff.ts';
import type { KubernetesClient } from './client.ts';
import type { SelectOptions } from './options.ts';
import { isGone, KubernetesError } from './errors.ts';
import { listWhole } from './pages.ts';
import type { Resource } from './resources.ts';
import { watchStream } from './watch-stream.ts';
import type { KubernetesObject, WatchEventType } from './wire.ts';

/**
 * Changes between two points were compacted away before they could be read. What still exists came with the list
 * that follows; what came and went in between is lost, and so is every version but the last.
 */
export type Gap = {
  /** `expired`: the history was compacted. `rewound`: the cluster's data is older than what was read (a restored backup). */
  cause: 'expired' | 'rewound';
  from: {
    resourceVersion: string;
    /** When the server was last heard up to that version; undefined when it was stored by an earlier run. */
    at: Date | undefined;
  };
  to: { resourceVersion: string; at: Date };
  /** Objects in the list that are newer than `from`: what is known to have happened. What came and went is not. */
  changed: number;
  /** The server's words. */
  message: string;
};

export type ListWatchOptions<T> = SelectOptions & {
  client: KubernetesClient;
  resource: Resource<T>;
  /** Where an earlier run ended: goes on from there without a list. */
  resourceVersion?: string | undefined;
  /** When that was stored; only told back in a Gap. */
  resourceVersionAt?: Date | undefined;
  /** The whole collection; replaces all that was known. At first (without resourceVersion), and after a gap. */
  onSync?: ((items: T[], resourceVersion: string) => Promise<void> | void) | undefined;
  /** In the server's order, one at a time. If it throws, the same event comes again after a pause. */
  onEvent: (type: WatchEventType, object: T, resourceVersion: string) => Promise<void> | void;
  /** Nothing changed up to here: worth storing. */
  onBookmark?: ((resourceVersion: string) => Promise<void> | void) | undefined;
  /** Before the onSync that closes the gap as far as possible. */
  onGap?: ((gap: Gap) => Promise<void> | void) | undefined;
  /** Every failed attempt, with what happens next. Without it failures are only seen in `state`. */
  onError?: ((error: unknown, next: { attempt: number; retryInMs: number }) => void) | undefined;
  /** Silence after which a connection is taken for dead. Default 120 s. */
  inactivityMs?: number | undefined;
  pageSize?: number | undefined;
  backoff?: BackoffOptions | undefined;
  random?: (() => number) | undefined;
};

/** `waiting`: for the next attempt, after an error. */
export type ListWatchState = 'new' | 'listing' | 'watching' | 'waiting' | 'stopped';

type Loss = { cause: Gap['cause']; message: string; aged?: boolean };

const defaultInactivityMs = 120_000;
/** From the polite end of a watch to the answer to the next one. */
const seamMs = 5000;
/** A watch that ends sooner and brought nothing counts as failed, or a broken server would be asked without a pause. */
const shortWatchMs = 1000;

/**
 * Follows one collection for ever: list, watch, and again from where it stood. Survives restarts of the API server,
 * 410 as status and as ERROR inside a 200, 429 and 503 with Retry-After, broken and half-open connections. Each event
 * is delivered at least once and in order; what could not be read is reported as a Gap, never skipped in silence.
 */
export class ListWatch<T extends KubernetesObject = KubernetesObject> {
  readonly #options: ListWatchOptions<T>;
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;
  #state: ListWatchState = 'new';
  #resourceVersion: string | undefined;
  #heardAt: Date | undefined;
  #attempt = 0;
  /** When the last watch ran its time and was ended by the server: all up to then was read. */
  #endedAt = -Infinity;
  /** Listed, and nothing heard since. */
  #fresh = false;

  constructor(options: ListWatchOptions<T>) {
    this.#options = options;
    this.#resourceVersion = options.resourceVersion === '' ? undefined : options.resourceVersion;
    this.#heardAt = options.resourceVersionAt;
  }

  get state(): ListWatchState {
    return this.#state;
  }

  /** The last version whose event was handled or that a bookmark confirmed. */
  get resourceVersion(): string | undefined {
    return this.#resourceVersion;
  }

  /** When the server last said something that was handled. */
  get heardAt(): Date | undefined {
    return this.#heardAt;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Resolves when the handler that was running has returned; none is called afterwards. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error('stopped'));
    await this.#running;
    this.#state = 'stopped';
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    let lost: Loss | undefined;
    // A stored version, or one from before an outage: the server may since have been replaced by an older copy.
    let suspect = this.#resourceVersion !== undefined;
    while (!signal.aborted) {
      try {
        if (suspect) lost ??= await this.#rewound();
        suspect = false;
        if (this.#resourceVersion === undefined || lost !== undefined) {
          await this.#list(lost);
          lost = undefined;
          this.#fresh = true;
        }
        await this.#watch(this.#resourceVersion ?? '0');
      } catch (error) {
        if (signal.aborted) break;
        suspect = true;
        if (isGone(error)) {
          const aged = performance.now() - this.#endedAt < seamMs;
          lost = { cause: 'expired', message: error.message, aged };
          // Right after a list it is a broken server rather than an old version: wait as for any other error.
          if (!this.#fresh) continue;
        }
        await this.#wait(error);
      }
    }
  }

  /**
   * A version from the future would be waited for in silence until the cluster gets there: every change until then
   * would be missed.
   */
  async #rewound(): Promise<Loss | undefined> {
    const { client, resource } = this.#options;
    const ours = this.#resourceVersion;
    if (ours === undefined) return undefined;
    const { signal } = this.#stopping;
    const page = await client.list(resource, { ...this.#select(), limit: 1, signal });
    const theirs = page.metadata.resourceVersion;
    if (theirs === undefined || !isNumber(ours) || !isNumber(theirs) || BigInt(ours) <= BigInt(theirs))
      return undefined;
    const message = `resourceVersion ${ours} is ahead of the server's ${theirs}: the cluster was restored or replaced`;
    return { cause: 'rewound', message };
  }

  async #wait(error: unknown): Promise<void> {
    const { backoff = defaultBackoff, random, onError } = this.#options;
    const retryAfter = error instanceof KubernetesError ? error.retryAfterSeconds : undefined;
    const retryInMs = backoffDelayMs(this.#attempt, backoff, retryAfter, random);
    this.#attempt++;
    this.#state = 'waiting';
    onError?.(error, { attempt: this.#attempt, retryInMs });
    await pause(retryInMs, this.#stopping.signal);
  }

  async #list(lost: Loss | undefined): Promise<void> {
    this.#state = 'listing';
    const { client, resource, onSync, onGap, pageSize } = this.#options;
    const { signal } = this.#stopping;
    const list = await listWhole(client, resource, { ...this.#select(), pageSize, signal });
    signal.throwIfAborted();
    const from = this.#resourceVersion;
    if (lost !== undefined && from !== undefined) {
      const newer = (item: T): boolean => lost.cause === 'rewound' || isNewer(item.metadata?.resourceVersion, from);
      const changed = list.items.filter(newer).length;
      // A quiet collection without bookmarks (Events) was followed all along; only its last version grew too old.
      if (lost.aged !== true || changed > 0) {
        const to = { resourceVersion: list.resourceVersion, at: new Date() };
        const { cause, message } = lost;
        await onGap?.({ cause, from: { resourceVersion: from, at: this.#heardAt }, to, changed, message });
      }
    }
    await onSync?.(list.items, list.resourceVersion);
    this.#reached(list.resourceVersion);
  }

  async #watch(from: string): Promise<void> {
    const { client, resource, onEvent, onBookmark, inactivityMs = defaultInactivityMs, random } = this.#options;
    const { signal } = this.#stopping;
    const began = performance.now();
    let heard = false;
    const events = watchStream(client, resource, {
      ...this.#select(),
      resourceVersion: from,
      inactivityMs,
      signal,
      ...(random && { random }),
    });
    this.#state = 'watching';
    for await (const event of events) {
      if (signal.aborted) return;
      heard = true;
      const version = event.object.metadata?.resourceVersion ?? '';
      if (event.type === 'BOOKMARK') await onBookmark?.(version);
      else await onEvent(event.type, event.object, version);
      this.#reached(version);
      this.#attempt = 0;
      this.#fresh = false;
    }
    if (!heard && performance.now() - began < shortWatchMs && !signal.aborted) {
      throw new Error(`watch of ${resource.plural}: the server ended it at once, without an event`);
    }
    // A quiet watch that ran its time: the server was there all along, though its version is not known.
    this.#heardAt = new Date();
    this.#endedAt = performance.now();
    this.#attempt = 0;
    this.#fresh = false;
  }

  #reached(version: string): void {
    if (version !== '') this.#resourceVersion = version;
    this.#heardAt = new Date();
  }

  #select(): SelectOptions {
    const { namespace, labelSelector, fieldSelector } = this.#options;
    return { namespace, labelSelector, fieldSelector };
  }
}

/** resourceVersions of one resource type are decimal and grow (KEP-5504); anything else counts as newer. */
function isNewer(version: string | undefined, than: string): boolean {
  if (version === undefined || !isNumber(version) || !isNumber(than)) return true;
  return BigInt(version) > BigInt(than);
}

function isNumber(version: string): boolean {
  return /^\d+$/.test(version);
}
