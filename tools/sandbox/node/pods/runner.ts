import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { isConflict, isNotFound } from '@keelson/kubernetes';
import { afterRestart } from '../containers/back-off.ts';
import { CannotStartError } from '../containers/process.ts';
import { endReason, type ContainerRecord } from '../containers/record.ts';
import { ContainerConfigError } from '../environment/resolve.ts';
import { describePod, podResource, type Condition, type Pod } from '../kubernetes-objects.ts';
import { MountError } from '../volumes/prepare.ts';
import { ContainerRun, logFile } from './container-run.ts';
import type { NodeContext } from './context.ts';
import { decide } from './decide.ts';
import { recordsOf } from './restore.ts';
import { OUR_CONDITIONS, statusOf } from './status.ts';
import { StatusWriter } from './status-writer.ts';

/** A BackOff event is written when the wait begins, and again this often while it lasts. */
const BACK_OFF_EVENT_MS = 10_000;

/**
 * Runs one pod: asks `decide` what to do, does it, and writes the status. Entered when the pod is bound to this node;
 * `terminate` when it has a deletion timestamp; `discard` when its object is gone; `shutDown` when the node stops.
 */
export class PodRunner {
  readonly podIp: string;
  readonly folder: string;
  readonly #context: NodeContext;
  readonly #records: ContainerRecord[];
  readonly #runs = new Map<string, ContainerRun>();
  readonly #writer: StatusWriter;
  readonly #startTime: string;
  readonly #backOffEventAt = new Map<string, number>();
  #pod: Pod;
  #timer: NodeJS.Timeout | undefined;
  #mode: 'running' | 'terminating' | 'over' = 'running';
  #terminating: Promise<void> | undefined;
  readonly #starting = new Set<Promise<void>>();
  #conditions: Condition[] = [];

  constructor(context: NodeContext, pod: Pod) {
    this.#context = context;
    this.#pod = pod;
    this.#records = recordsOf(pod, Date.now());
    this.#startTime = pod.status?.startTime ?? `${new Date().toISOString().slice(0, 19)}Z`;
    this.podIp = context.addresses.take(pod.metadata.uid ?? '', pod.status?.podIP);
    this.folder = join(context.stateDir, 'pods', pod.metadata.uid ?? '');
    this.#writer = new StatusWriter(context, pod);
  }

  get pod(): Pod {
    return this.#pod;
  }

  start(): void {
    this.#sync();
  }

  /** A newer version of the object: labels, gates, deletion. */
  update(pod: Pod): void {
    this.#pod = pod;
    if (pod.metadata.deletionTimestamp !== undefined)
      this.terminate((pod.metadata.deletionGracePeriodSeconds ?? 30) * 1000);
    else if ((pod.spec.readinessGates ?? []).length > 0) this.#report();
  }

  /** Ends the containers within the grace period and then the object itself. A shorter period brings the end forward. */
  terminate(graceMs: number): void {
    if (this.#mode === 'over') return;
    this.#mode = 'terminating';
    clearTimeout(this.#timer);
    const first = this.#terminating === undefined;
    const stopped = this.#stopAll(graceMs, first);
    this.#terminating ??= this.#finish(stopped);
  }

  /** The object is gone: what still runs has no right to. */
  async discard(): Promise<void> {
    this.#mode = 'over';
    clearTimeout(this.#timer);
    this.#writer.stop();
    await this.#stopAll(0);
    this.#context.addresses.release(this.#pod.metadata.uid ?? '');
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** The node stops: the processes end, the pod stays in the API as not ready. */
  async shutDown(graceMs: number): Promise<void> {
    if (this.#mode === 'running') this.#mode = 'terminating';
    clearTimeout(this.#timer);
    for (const run of this.#runs.values()) run.stopProbes();
    for (const record of this.#records) if (record.state.phase === 'running') record.state.ready = false;
    this.#report();
    await this.#stopAll(Math.min(graceMs, (this.#pod.spec.terminationGracePeriodSeconds ?? 30) * 1000));
    await this.#writer.settled();
    this.#writer.stop();
  }

  /** The log of a container's current run, or of the one before; undefined when there is none. */
  log(container: string, previous: boolean): { file: string; run: ContainerRun | undefined } | undefined {
    const record = this.#records.find((candidate) => candidate.name === container);
    if (record === undefined) return undefined;
    const restart = previous ? record.restartCount - 1 : record.restartCount;
    if (restart < 0) return undefined;
    return { file: logFile(this.folder, container, restart), run: previous ? undefined : this.#runs.get(container) };
  }

  get containers(): string[] {
    return this.#records.map((record) => record.name);
  }

  #sync(): void {
    if (this.#mode !== 'running') return;
    clearTimeout(this.#timer);
    const now = Date.now();
    const decision = decide(this.#records, this.#pod.spec.restartPolicy ?? 'Always', now, this.#context.limits);
    let wakeAt = decision.wakeAt;
    for (const { name, delayMs } of decision.backOff) {
      const record = this.#record(name);
      record.backingOffMs = delayMs;
      const due = (this.#backOffEventAt.get(name) ?? 0) + BACK_OFF_EVENT_MS;
      if (due <= now) {
        this.#event(
          record,
          'Warning',
          'BackOff',
          `Back-off restarting failed container ${name} in pod ${describePod(this.#pod)}`,
        );
        this.#backOffEventAt.set(name, now);
      }
      wakeAt = Math.min(wakeAt ?? Infinity, (this.#backOffEventAt.get(name) ?? now) + BACK_OFF_EVENT_MS);
    }
    for (const name of decision.start) {
      const starting = this.#start(this.#record(name)).finally(() => this.#starting.delete(starting));
      this.#starting.add(starting);
    }
    this.#report();
    if (wakeAt !== undefined) this.#timer = setTimeout(() => this.#sync(), Math.max(0, wakeAt - Date.now()));
  }

  async #start(record: ContainerRecord): Promise<void> {
    const { limits } = this.#context;
    if (record.state.phase === 'ended') {
      record.backOff = afterRestart(record.backOff, record.state.finishedAt, Date.now(), limits);
      record.last = record.state;
      record.restartCount += 1;
    }
    delete record.backingOffMs;
    this.#backOffEventAt.delete(record.name);
    record.state = { phase: 'starting' };
    try {
      const run = await ContainerRun.start({
        context: this.#context,
        pod: this.#pod,
        container: record.spec,
        podIp: this.podIp,
        podFolder: this.folder,
        restart: record.restartCount,
        onStep: (reason) => this.#event(record, 'Normal', reason, stepMessage(reason, record.spec)),
      });
      this.#started(record, run);
    } catch (error) {
      this.#cannotStart(record, error as Error);
    }
  }

  #started(record: ContainerRecord, run: ContainerRun): void {
    const { name } = record;
    this.#event(record, 'Normal', 'Started', `Started container ${name}`);
    this.#runs.set(name, run);
    record.state = {
      phase: 'running',
      startedAt: run.startedAt,
      containerId: run.containerId,
      started: false,
      ready: false,
    };
    void this.#untilEnded(record, run);
    // The object went, or the node stops, while this was being prepared.
    if (this.#mode !== 'running') void run.stop(0);
    else void this.#watchOver(record, run);
    this.#report();
  }

  async #untilEnded(record: ContainerRecord, run: ContainerRun): Promise<void> {
    const { exitCode, signal } = await run.ended;
    run.stopProbes();
    this.#context.ledger.remove(run.pid);
    this.#runs.delete(record.name);
    record.state = {
      phase: 'ended',
      exitCode,
      ...(signal !== undefined && { signal }),
      reason: endReason(exitCode),
      startedAt: run.startedAt,
      finishedAt: Date.now(),
      containerId: run.containerId,
    };
    this.#sync();
    if (this.#mode !== 'running') this.#report();
  }

  async #watchOver(record: ContainerRecord, run: ContainerRun): Promise<void> {
    const hook = await run.postStart();
    if (!hook.ok) {
      this.#event(record, 'Warning', 'FailedPostStartHook', `PostStartHook failed: ${hook.detail}`);
      this.#kill(record, run, 'FailedPostStartHook', undefined);
      return;
    }
    const running = (change: (state: Extract<ContainerRecord['state'], { phase: 'running' }>) => void): void => {
      if (record.state.phase !== 'running' || record.state.containerId !== run.containerId) return;
      change(record.state);
      this.#report();
      this.#sync();
    };
    run.probe({
      onStarted: () => running((state) => (state.started = true)),
      onReady: (ready) => running((state) => (state.ready = ready)),
      onUnhealthy: (message) => this.#event(record, 'Warning', 'Unhealthy', message),
      onDead: (kind, probe) => {
        const text = `Container ${record.name} failed ${kind} probe, will be restarted`;
        this.#kill(record, run, text, probe.terminationGracePeriodSeconds);
      },
    });
  }

  #kill(record: ContainerRecord, run: ContainerRun, message: string, graceSeconds: number | undefined): void {
    this.#event(record, 'Normal', 'Killing', message);
    run.stopProbes();
    void this.#stopRun(record, run, (graceSeconds ?? this.#pod.spec.terminationGracePeriodSeconds ?? 30) * 1000);
  }

  #cannotStart(record: ContainerRecord, error: Error): void {
    const retryAt = Date.now() + this.#context.retryMs;
    const { message } = error;
    if (error instanceof MountError) {
      this.#event(undefined, 'Warning', 'FailedMount', message);
      record.state = { phase: 'waiting', reason: 'ContainerCreating', retryAt };
    } else if (error instanceof ContainerConfigError) {
      this.#event(record, 'Warning', 'Failed', `Error: ${message}`);
      record.state = { phase: 'waiting', reason: 'CreateContainerConfigError', message, retryAt };
    } else if (error instanceof CannotStartError) {
      const text = `failed to create containerd task: failed to start process: ${message}`;
      this.#event(record, 'Warning', 'Failed', `Error: ${text}`);
      const now = Date.now();
      // 128: what a runtime reports for a process that it could not start; the restart policy applies.
      record.state = {
        phase: 'ended',
        exitCode: 128,
        reason: 'StartError',
        message: text,
        startedAt: 0,
        finishedAt: now,
        containerId: '',
      };
    } else {
      this.#context.warn(`pod ${this.#pod.metadata.namespace}/${this.#pod.metadata.name}, ${record.name}: ${message}`);
      record.state = { phase: 'waiting', reason: 'ContainerCreating', retryAt: Date.now() + 1000 };
    }
    this.#sync();
  }

  async #stopAll(graceMs: number, announce = false): Promise<void> {
    // What is being prepared right now must not come up behind our back.
    await Promise.all(this.#starting);
    const stops: Promise<void>[] = [];
    for (const record of this.#records) {
      const run = this.#runs.get(record.name);
      if (run === undefined) continue;
      // Sidecars outlive the main containers; with processes of one machine their order at the end is all that counts.
      run.stopLiveness();
      stops.push(this.#stopRun(record, run, graceMs, announce));
    }
    await Promise.all(stops);
  }

  async #stopRun(record: ContainerRecord, run: ContainerRun, graceMs: number, announce = false): Promise<void> {
    if (announce && this.#runs.has(record.name))
      this.#event(record, 'Normal', 'Killing', `Stopping container ${record.name}`);
    await run.stop(graceMs, (detail) =>
      this.#event(record, 'Warning', 'FailedPreStopHook', `PreStopHook failed: ${detail}`),
    );
  }

  /** After the last container has ended: the final status, then the object. */
  async #finish(stopped: Promise<void>): Promise<void> {
    await stopped;
    this.#report();
    await this.#writer.settled();
    this.#writer.stop();
    const { namespace, name, uid } = this.#pod.metadata;
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#context.client.delete(podResource, {
          namespace,
          name,
          gracePeriodSeconds: 0,
          ...(uid !== undefined && { preconditions: { uid } }),
        });
        return;
      } catch (error) {
        if (isNotFound(error) || isConflict(error)) return;
        this.#context.warn(`delete pod ${namespace}/${name}: ${(error as Error).message}`);
        if (this.#isOver()) return;
        await new Promise((resolve) => setTimeout(resolve, Math.min(10_000, 200 * 2 ** attempt)));
      }
    }
  }

  #isOver(): boolean {
    return this.#mode === 'over';
  }

  #report(): void {
    if (this.#mode === 'over') return;
    // Our own conditions as last computed (the watch may lag behind), those of others as the API has them.
    const theirs = (this.#pod.status?.conditions ?? []).filter((c) => !this.#conditions.some((o) => o.type === c.type));
    const status = statusOf({
      pod: { ...this.#pod, status: { ...this.#pod.status, conditions: [...this.#conditions, ...theirs] } },
      records: this.#records,
      podIp: this.podIp,
      hostIp: this.#context.hostIp,
      startTime: this.#startTime,
      now: Date.now(),
    });
    const ours = new Set<string>(OUR_CONDITIONS);
    this.#conditions = (status.conditions ?? []).filter((c) => ours.has(c.type));
    this.#writer.write(status);
  }

  #record(name: string): ContainerRecord {
    const record = this.#records.find((candidate) => candidate.name === name);
    if (record === undefined) throw new Error(`no container ${name} in pod ${this.#pod.metadata.name}`);
    return record;
  }

  #event(record: ContainerRecord | undefined, type: 'Normal' | 'Warning', reason: string, message: string): void {
    const path = record?.kind === 'main' ? 'spec.containers' : 'spec.initContainers';
    const fieldPath = record === undefined ? undefined : `${path}{${record.name}}`;
    this.#context.recorder.record(
      { kind: 'Pod', metadata: this.#pod.metadata, ...(fieldPath !== undefined && { fieldPath }) },
      type,
      reason,
      message,
    );
  }
}

/** kubelet's words. */
const stepMessage = (reason: 'Pulled' | 'Created', { name, image = '' }: ContainerRecord['spec']): string =>
  reason === 'Pulled' ? `Container image "${image}" already present on machine` : `Created container: ${name}`;
