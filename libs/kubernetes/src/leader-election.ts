import { backoffDelayMs, pause } from './backoff.ts';
import type { KubernetesClient } from './client.ts';
import { isConflict } from './errors.ts';
import { claimed, observe, released, standing, type Observation } from './lease.ts';
import { resources, type Lease } from './resources.ts';

export type LeaderElectionOptions = {
  client: KubernetesClient;
  namespace: string;
  /** Of the Lease. */
  name: string;
  /** Of this replica; must differ from every other's. */
  identity: string;
  /** How long others wait for a silent leader. Whole seconds on the wire. Default 15 s. */
  leaseDurationMs?: number | undefined;
  /** How often the leader renews and candidates look. Default a sixth of the lease. */
  renewMs?: number | undefined;
  /** Without a renewal for this long the leader steps down. Default two thirds of the lease. */
  renewDeadlineMs?: number | undefined;
  /**
   * The leader's work. `signal` aborts when leadership is lost or given up; the lease is given back only once the
   * returned promise has settled.
   */
  onStarted: (signal: AbortSignal) => Promise<void> | void;
  onStopped?: ((why: 'released' | 'lost') => Promise<void> | void) | undefined;
  onError?: ((error: unknown) => void) | undefined;
  /** Milliseconds that never jump; default performance.now. */
  monotonic?: (() => number) | undefined;
};

/** Giving the lease back is a courtesy: a shutdown does not wait longer for it. */
const releaseMs = 3000;

/**
 * One leader among replicas, by a Lease. A candidate takes over once it has seen the lease unchanged for its whole
 * duration by its own monotonic clock; the leader stops earlier, counted from before its last successful renewal was
 * sent. So wall clocks may jump or differ at will. A process that is frozen past its time finds `isLeader` false when
 * it wakes; what it sends to others at that moment needs `fencingToken`.
 */
export class LeaderElection {
  readonly #options: LeaderElectionOptions;
  readonly #leaseMs: number;
  readonly #renewMs: number;
  readonly #deadlineMs: number;
  readonly #now: () => number;
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;
  #seen: Observation | undefined;
  #lease: Lease | undefined;
  #term: { until: number; abort: AbortController; work: Promise<void>; timer: NodeJS.Timeout | undefined } | undefined;

  constructor(options: LeaderElectionOptions) {
    this.#options = options;
    this.#leaseMs = options.leaseDurationMs ?? 15_000;
    this.#deadlineMs = options.renewDeadlineMs ?? (this.#leaseMs * 2) / 3;
    this.#renewMs = options.renewMs ?? this.#leaseMs / 6;
    this.#now = options.monotonic ?? (() => performance.now());
    if (options.identity === '') throw new RangeError('identity is empty; allowed: any name that no other replica has');
    if (!(this.#leaseMs >= 1000)) throw new RangeError(`leaseDurationMs is ${this.#leaseMs}; allowed: 1000 and more`);
    if (!(this.#renewMs < this.#deadlineMs && this.#deadlineMs < this.#leaseMs)) {
      throw new RangeError(
        `renewMs ${this.#renewMs} < renewDeadlineMs ${this.#deadlineMs} < leaseDurationMs ${this.#leaseMs} does not hold; the leader must stop before others may start`,
      );
    }
  }

  /** Asked anew at every call: true only while no other replica can have taken over. */
  get isLeader(): boolean {
    return this.#term !== undefined && !this.#term.abort.signal.aborted && this.#now() < this.#term.until;
  }

  /** Grows with every change of leader: lets a store refuse a late write. Undefined unless leading. */
  get fencingToken(): number | undefined {
    return this.isLeader ? (this.#lease?.spec?.leaseTransitions ?? 0) : undefined;
  }

  /** Who holds the lease as far as seen; empty when nobody does. */
  get leader(): string {
    return this.#seen?.holder ?? '';
  }

  /** Takes part until stop(). Resolves then; errors go to onError and are tried again. */
  run(): Promise<void> {
    this.#running ??= this.#loop();
    return this.#running;
  }

  /** Ends the work, then gives the lease back, so that another replica leads at once. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #loop(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      let waitMs = this.#renewMs;
      try {
        await this.#round();
      } catch (error) {
        this.#options.onError?.(error);
        // Candidates spread out; the leader has no time to lose.
        if (this.#term === undefined)
          waitMs += backoffDelayMs(0, { firstDelayMs: this.#renewMs, maxDelayMs: this.#renewMs });
      }
      await this.#endIfLost();
      await pause(waitMs, signal);
    }
    await this.#giveUp();
  }

  async #round(): Promise<void> {
    const { client, namespace, name, identity } = this.#options;
    const timeoutMs = Math.max(500, this.#renewMs * 2);
    const sentAt = this.#now();
    const lease = await client.find(resources.leases, { namespace, name, timeoutMs });
    if (lease !== undefined) {
      this.#seen = observe(lease, this.#seen, this.#now());
      const now = standing(this.#seen, identity, this.#now());
      if (now === 'held') return;
      // Our name, but not from this term: a former run of the same identity, or a lease we stepped down from.
      if (now === 'mine' && this.#term !== undefined && !this.isLeader) return;
    }
    const spec = claimed(lease, identity, this.#leaseMs, new Date());
    try {
      const written =
        lease === undefined
          ? await client.create(resources.leases, { metadata: { name, namespace }, spec }, { timeoutMs })
          : await client.replace(resources.leases, { ...lease, spec }, { timeoutMs });
      this.#lease = written;
      this.#seen = observe(written, this.#seen, this.#now());
      this.#lead(sentAt + this.#deadlineMs);
    } catch (error) {
      // Another candidate was faster, or created it meanwhile; the next round sees who.
      if (!isConflict(error)) throw error;
    }
  }

  #lead(until: number): void {
    if (this.#term !== undefined) {
      if (!this.isLeader) return;
      this.#term.until = until;
      this.#watchDeadline();
      return;
    }
    if (this.#now() >= until || this.#stopping.signal.aborted) return;
    const abort = new AbortController();
    this.#term = { until, abort, work: Promise.resolve(), timer: undefined };
    this.#watchDeadline();
    this.#term.work = (async () => {
      try {
        await this.#options.onStarted(abort.signal);
      } catch (error) {
        this.#options.onError?.(error);
      }
    })();
  }

  #watchDeadline(): void {
    const term = this.#term;
    if (term === undefined) return;
    clearTimeout(term.timer);
    term.timer = setTimeout(
      () => {
        if (this.#now() >= term.until) term.abort.abort(new Error('the lease could not be renewed in time'));
        else this.#watchDeadline();
      },
      Math.max(0, term.until - this.#now()),
    );
  }

  async #endIfLost(): Promise<void> {
    const lost = this.#term !== undefined && (!this.isLeader || this.leader !== this.#options.identity);
    if (lost) await this.#endTerm('lost');
  }

  async #giveUp(): Promise<void> {
    if (this.#term === undefined) return;
    const wasLeader = this.isLeader;
    await this.#endTerm(wasLeader ? 'released' : 'lost');
    const { client } = this.#options;
    if (!wasLeader || this.#lease === undefined) return;
    try {
      const timeoutMs = Math.min(this.#deadlineMs, releaseMs);
      await client.replace(resources.leases, released(this.#lease, new Date()), { timeoutMs });
    } catch (error) {
      // It then runs out by itself; if somebody else took it already (409), so much the better.
      if (!isConflict(error)) this.#options.onError?.(error);
    }
  }

  async #endTerm(why: 'released' | 'lost'): Promise<void> {
    const term = this.#term;
    if (term === undefined) return;
    clearTimeout(term.timer);
    term.abort.abort(new Error(why === 'lost' ? 'leadership was lost' : 'leadership was given up'));
    await term.work;
    this.#term = undefined;
    await this.#options.onStopped?.(why);
  }
}
