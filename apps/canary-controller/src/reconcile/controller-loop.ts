import { Informer, LeaderElection, resources, type CanaryResource, type KubernetesClient } from '@keelson/kubernetes';
import type { Reconciler } from './reconciler.ts';
import { WorkQueue } from './work-queue.ts';
import type { ReleaseRepository } from '../history/release.repository.ts';

export interface ControllerLoopOptions {
  readonly client: KubernetesClient;
  readonly reconciler: Reconciler;
  readonly releases: ReleaseRepository;
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
    this.#canaries.onChange((type, canary) => {
      if (type === 'DELETED') void this.#forget(canary);
      else this.#queue?.add(keyOf(canary));
    });
    this.#election = new LeaderElection({
      client: options.client,
      namespace: options.leaseNamespace,
      name: 'keelson-canary-controller',
      identity: options.identity,
      leaseDurationMs: options.leaseDurationMs ?? 15_000,
      onStarted: (signal) => this.#lead(signal),
      onStopped: (why) => options.log.info({ identity: options.identity, why }, 'no longer leading'),
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

  get(namespace: string, name: string): CanaryResource | undefined {
    return this.#canaries.get(namespace, name);
  }

  /** Wants this Canary looked at now, after a command. Where another replica leads, its own resync finds it. */
  nudge(canary: CanaryResource): void {
    this.#queue?.add(keyOf(canary));
  }

  /** Ends the work in hand, gives the Lease up and stops watching. */
  async stop(): Promise<void> {
    await this.#election.stop();
    await this.#canaries.stop();
  }

  /** Works until leadership ends; settles when nothing is being worked on any more, and only then the Lease is free. */
  async #lead(signal: AbortSignal): Promise<void> {
    this.#options.log.info({ identity: this.#options.identity }, 'leading');
    const queue = new WorkQueue({
      work: async (key) => {
        const [namespace, name] = key.split('/') as [string, string];
        const canary = this.#canaries.get(namespace, name);
        return canary && !canary.metadata.deletionTimestamp ? this.#options.reconciler.reconcile(canary) : undefined;
      },
      onError: (key, error, retryInMs) => {
        const reason = error instanceof Error ? error.message : String(error);
        this.#options.log.warn({ canary: key, reason, retryInMs: Math.round(retryInMs) }, 'reconcile failed');
      },
    });
    this.#queue = queue;
    for (const canary of this.#canaries.list()) queue.add(keyOf(canary));
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    this.#queue = undefined;
    await queue.stop();
  }

  async #forget(canary: CanaryResource): Promise<void> {
    try {
      if (canary.metadata.uid !== undefined) await this.#options.releases.remove(canary.metadata.uid);
    } catch (error) {
      this.#options.log.warn(
        { canary: keyOf(canary), reason: String(error) },
        'a removed Canary could not be forgotten',
      );
    }
  }
}

const keyOf = (canary: CanaryResource): string => `${canary.metadata.namespace}/${canary.metadata.name}`;
