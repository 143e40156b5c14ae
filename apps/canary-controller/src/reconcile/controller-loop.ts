import { Informer, LeaderElection, resources, type CanaryResource, type KubernetesClient } from '@keelson/kubernetes';
import type { ReleaseRepository } from '../history/release.repository.ts';
import type { ReleaseState } from '../release/state.ts';
import type { Cluster } from './cluster.ts';
import type { ControllerMetrics } from './metrics.ts';
import type { Leadership, Reconciler } from './reconciler.ts';
import { WorkQueue } from './work-queue.ts';

export interface ControllerLoopOptions {
  readonly client: KubernetesClient;
  readonly reconciler: Reconciler;
  readonly releases: ReleaseRepository;
  readonly cluster: Cluster;
  readonly metrics: ControllerMetrics;
  /** Where the Lease of the leader lives. */
  readonly leaseNamespace: string;
  /** Name of this replica in the Lease. */
  readonly identity: string;
  readonly leaseDurationMs?: number;
  readonly log: {
    info(fields: object, message: string): void;
    warn(fields: object, message: string): void;
    error(fields: object, message: string): void;
  };
}

/** Stands for all Canaries in the work queue; no name of one has this form. */
const SWEEP = '*';
/** How often to look for releases whose Canary is gone, ms. */
const SWEEP_MS = 30_000;

/** Another replica leads, or may by now. */
class LeadershipLost extends Error {
  override readonly name = 'LeadershipLost';
}

/**
 * Watches Canaries and reconciles them while this replica leads. Every replica watches and answers HTTP; one works, so
 * that a release is not brought forward by two clocks.
 */
export class ControllerLoop {
  readonly #options: ControllerLoopOptions;
  readonly #canaries: Informer<CanaryResource>;
  readonly #election: LeaderElection;
  #queue: WorkQueue | undefined;

  constructor(options: ControllerLoopOptions) {
    this.#options = options;
    this.#canaries = new Informer<CanaryResource>({
      client: options.client,
      resource: resources.canaries,
      onError: (error, next) =>
        options.log.warn(
          { reason: String(error), retryInMs: Math.round(next.retryInMs) },
          'the watch of Canaries broke',
        ),
    });
    // Also for one that is gone: in its turn, so that no reconcile under way writes after its end.
    this.#canaries.onChange((_type, canary) => this.#queue?.add(keyOf(canary)));
    this.#election = new LeaderElection({
      client: options.client,
      namespace: options.leaseNamespace,
      name: 'keelson-canary-controller',
      identity: options.identity,
      leaseDurationMs: options.leaseDurationMs ?? 15_000,
      onStarted: (signal) => this.#lead(signal),
      onStopped: (why) => {
        options.metrics.leading(false);
        options.log.info({ identity: options.identity, why }, 'no longer leading');
      },
      onError: (error) => options.log.warn({ reason: String(error) }, 'the Lease could not be renewed'),
    });
  }

  /** Starts watching and standing for election; does not wait for the API server. */
  start(): void {
    this.#canaries.start();
    void this.#election.run();
  }

  /** Whether the Canaries are known, for readiness. */
  get synced(): boolean {
    return this.#canaries.hasSynced;
  }

  get leads(): boolean {
    return this.#election.isLeader;
  }

  /** Every Canary as the watch knows it. */
  list(): CanaryResource[] {
    return this.#canaries.list();
  }

  /**
   * Wants this Canary looked at now, after a command. Another replica that leads is told through the status, which it
   * watches; where that fails its own resync finds the command.
   */
  nudge(canary: CanaryResource, state?: ReleaseState): void {
    if (this.#queue !== undefined) this.#queue.add(keyOf(canary));
    else if (state !== undefined) {
      this.#options.cluster
        .writeStatus(canary, state)
        .catch((error: unknown) =>
          this.#options.log.warn({ canary: keyOf(canary), reason: String(error) }, 'the leader could not be told'),
        );
    }
  }

  /** Ends the work in hand, gives the Lease up and stops watching. */
  async stop(): Promise<void> {
    await this.#election.stop();
    await this.#canaries.stop();
  }

  /** Works until leadership ends; settles when nothing is being worked on any more, and only then the Lease is free. */
  async #lead(signal: AbortSignal): Promise<void> {
    const { log, identity, metrics } = this.#options;
    log.info({ identity }, 'leading');
    metrics.leading(true);
    const leadership: Leadership = {
      signal,
      check: () => {
        if (signal.aborted || !this.#election.isLeader) throw new LeadershipLost('another replica may lead by now');
      },
    };
    const queue = new WorkQueue({
      work: (key) => (key === SWEEP ? this.#sweep() : this.#workOn(key, leadership)),
      onError: (key, error, retryInMs) => {
        metrics.failed();
        const reason = error instanceof Error ? error.message : String(error);
        log.warn({ canary: key, reason, retryInMs: Math.round(retryInMs) }, 'reconcile failed');
      },
    });
    const ended = new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve(), { once: true });
    });
    // Before the list is there, a Canary that is not in it would pass for one that was removed.
    await Promise.race([this.#canaries.synced, ended]);
    this.#queue = queue;
    for (const canary of this.#canaries.list()) queue.add(keyOf(canary));
    queue.add(SWEEP);
    await ended;
    this.#queue = undefined;
    await queue.stop();
  }

  async #workOn(key: string, leadership: Leadership): Promise<number | undefined> {
    const [namespace, name] = key.split('/') as [string, string];
    const canary = this.#canaries.get(namespace, name);
    if (canary === undefined) {
      await this.#options.reconciler.forget({ namespace, name }, leadership);
      return undefined;
    }
    return canary.metadata.deletionTimestamp ? undefined : this.#options.reconciler.reconcile(canary, leadership);
  }

  /** Finds the releases of Canaries that were removed while no controller ran, and counts the rest. */
  async #sweep(): Promise<number> {
    const releases = await this.#options.releases.summary();
    for (const { namespace, name } of releases) {
      if (this.#canaries.get(namespace, name) === undefined) this.#queue?.add(`${namespace}/${name}`);
    }
    this.#options.metrics.releases(releases.map(({ phase }) => phase));
    return SWEEP_MS;
  }
}

const keyOf = (canary: CanaryResource): string => `${canary.metadata.namespace}/${canary.metadata.name}`;
