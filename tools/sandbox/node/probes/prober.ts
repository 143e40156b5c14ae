import type { Container, Probe } from '../kubernetes-objects.ts';
import { check, type CheckTarget } from './check.ts';
import { initialProbeState, nextProbeState, timingOf, type ProbeKind, type ProbeState } from './state.ts';

export type ProbeEvents = {
  /** The startup probe has succeeded, or there is none. */
  onStarted(): void;
  onReady(ready: boolean): void;
  /** A single failure, worded as kubelet's Unhealthy event. */
  onUnhealthy(message: string): void;
  /** The container has to be killed and restarted. */
  onDead(kind: 'startup' | 'liveness', probe: Probe): void;
};

/**
 * The probes of one run of a container: liveness and readiness begin when the startup probe has succeeded. Entered when
 * the process runs; `stopLiveness` when the pod is on its way out (readiness goes on, as kubelet has it); `stop` at the
 * end of the process.
 */
export class Prober {
  readonly #container: Container;
  readonly #target: CheckTarget;
  readonly #startedAt: number;
  readonly #events: ProbeEvents;
  readonly #timers = new Map<ProbeKind, NodeJS.Timeout>();
  #livenessStopped = false;
  #stopped = false;

  constructor(container: Container, target: CheckTarget, startedAt: number, events: ProbeEvents) {
    this.#container = container;
    this.#target = target;
    this.#startedAt = startedAt;
    this.#events = events;
  }

  start(): void {
    if (this.#container.startupProbe === undefined) this.#started();
    else this.#begin('startup', this.#container.startupProbe);
  }

  stopLiveness(): void {
    this.#livenessStopped = true;
    for (const kind of ['startup', 'liveness'] as const) clearTimeout(this.#timers.get(kind));
  }

  stop(): void {
    this.#stopped = true;
    for (const timer of this.#timers.values()) clearTimeout(timer);
  }

  #started(): void {
    this.#events.onStarted();
    if (this.#container.readinessProbe === undefined) this.#events.onReady(true);
    else this.#begin('readiness', this.#container.readinessProbe);
    if (this.#container.livenessProbe !== undefined) this.#begin('liveness', this.#container.livenessProbe);
  }

  #begin(kind: ProbeKind, probe: Probe): void {
    // The initial delay counts from the start of the container, also for probes that wait for the startup probe.
    const first = Math.max(0, timingOf(probe).initialDelayMs - (Date.now() - this.#startedAt));
    this.#schedule(kind, probe, initialProbeState(kind), first);
  }

  #schedule(kind: ProbeKind, probe: Probe, state: ProbeState, delayMs: number): void {
    if (this.#isOver(kind)) return;
    this.#timers.set(
      kind,
      setTimeout(() => void this.#run(kind, probe, state), delayMs),
    );
  }

  async #run(kind: ProbeKind, probe: Probe, state: ProbeState): Promise<void> {
    const timing = timingOf(probe);
    const began = Date.now();
    const result = await check(probe, this.#target, timing.timeoutMs);
    if (this.#isOver(kind)) return;
    if (!result.ok) {
      const name = `${kind[0]?.toUpperCase() ?? ''}${kind.slice(1)}`;
      this.#events.onUnhealthy(`${name} probe failed: ${result.detail}`);
    }
    const next = nextProbeState(kind, timing, state, result.ok ? 'success' : 'failure');
    if (next.verdict !== state.verdict) {
      if (kind === 'readiness') this.#events.onReady(next.verdict === 'success');
      else if (next.verdict === 'failure') this.#events.onDead(kind, probe);
      else if (kind === 'startup') this.#started();
    }
    if (!next.onHold) this.#schedule(kind, probe, next, Math.max(0, timing.periodMs - (Date.now() - began)));
  }

  #isOver(kind: ProbeKind): boolean {
    return this.#stopped || (kind !== 'readiness' && this.#livenessStopped);
  }
}
