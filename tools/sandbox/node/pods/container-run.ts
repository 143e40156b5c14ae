import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { POD_UID_VARIABLE } from '../containers/ledger.ts';
import { ContainerProcess, type ProcessEnd } from '../containers/process.ts';
import { expand } from '../environment/expand.ts';
import { ContainerConfigError, resolveEnvironment } from '../environment/resolve.ts';
import type { Container, Handler, Pod } from '../kubernetes-objects.ts';
import { ContainerLog, removeLog } from '../logs/container-log.ts';
import { check, type CheckResult, type CheckTarget } from '../probes/check.ts';
import { Prober, type ProbeEvents } from '../probes/prober.ts';
import { prepareVolumes, volumeEnvironment } from '../volumes/prepare.ts';
import type { NodeContext } from './context.ts';
import { sourcesOf } from './sources.ts';

/** Where the log of a container's run number `restart` lies. */
export const logFile = (podFolder: string, container: string, restart: number): string =>
  join(podFolder, 'logs', container, `${restart}.log`);

/** One run of a container: from its command to its end. */
export class ContainerRun {
  readonly startedAt = Date.now();
  readonly containerId: string;
  readonly log: ContainerLog;
  readonly ended: Promise<ProcessEnd>;
  readonly target: CheckTarget;
  readonly #process: ContainerProcess;
  readonly #container: Container;
  #prober: Prober | undefined;
  #isEnding = false;

  private constructor(
    process: ContainerProcess,
    container: Container,
    log: ContainerLog,
    target: CheckTarget,
    id: string,
  ) {
    this.#process = process;
    this.#container = container;
    this.log = log;
    this.target = target;
    this.containerId = id;
    this.ended = process.ended;
  }

  /**
   * Prepares environment and volumes and starts the process. Throws ContainerConfigError, MountError or
   * CannotStartError (the container's fault), or what the API said.
   */
  static async start(options: {
    context: NodeContext;
    pod: Pod;
    container: Container;
    podIp: string;
    podFolder: string;
    restart: number;
    /** Told of each step of the way, as kubelet tells of it: also where the next one fails. */
    onStep: (reason: 'Pulled' | 'Created') => void;
  }): Promise<ContainerRun> {
    const { context, pod, container, podIp, podFolder, restart, onStep } = options;
    if (container.command === undefined || container.command.length === 0) {
      throw new ContainerConfigError(
        `container "${container.name}" has no command; the sandbox's node pulls no images, ` +
          'so spec.containers[].command must say what to run',
      );
    }
    const sources = sourcesOf(context.client, pod.metadata.namespace ?? '');
    const volumes = await prepareVolumes(pod, podFolder, sources.objects);
    onStep('Pulled');
    const scratch = join(podFolder, 'work', container.name);
    mkdirSync(scratch, { recursive: true });
    const environment = await resolveEnvironment({
      pod,
      container,
      podIp,
      hostIp: context.hostIp,
      base: {
        PATH: process.env['PATH'] ?? '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
        HOME: scratch,
        HOSTNAME: pod.metadata.name,
        ...volumeEnvironment(container.volumeMounts, volumes),
      },
      sources: sources.environment,
    });
    environment[POD_UID_VARIABLE] = pod.metadata.uid ?? '';
    const cwd = container.workingDir ?? scratch;
    mkdirSync(cwd, { recursive: true });
    const command = [...container.command, ...(container.args ?? [])].map((part) =>
      expand(part, (name) => environment[name]),
    );
    onStep('Created');
    removeLog(logFile(podFolder, container.name, restart - 2));
    const log = new ContainerLog(logFile(podFolder, container.name, restart));
    try {
      const started = new ContainerProcess({ command, environment, cwd, log });
      const uid = pod.metadata.uid ?? '';
      context.ledger.add(started.pid, uid);
      const target: CheckTarget = { podIp, ports: container.ports ?? [], environment, cwd };
      return new ContainerRun(
        started,
        container,
        log,
        target,
        `process://${uid}-${container.name}-${restart}-${started.pid}`,
      );
    } catch (error) {
      log.close();
      throw error;
    }
  }

  get pid(): number {
    return this.#process.pid;
  }

  probe(events: ProbeEvents): void {
    this.#prober = new Prober(this.#container, this.target, this.startedAt, events);
    this.#prober.start();
  }

  stopLiveness(): void {
    this.#prober?.stopLiveness();
  }

  stopProbes(): void {
    this.#prober?.stop();
  }

  postStart(): Promise<CheckResult> {
    return this.#hook(this.#container.lifecycle?.postStart, 30_000);
  }

  /**
   * preStop, SIGTERM, and SIGKILL when the grace period (counted from now, the hook included) is over. Safe to call
   * again: a shorter grace period brings SIGKILL forward.
   */
  async stop(graceMs: number, onHookFailed?: (detail: string) => void): Promise<void> {
    const kill = setTimeout(() => {
      this.#process.kill();
    }, graceMs);
    if (!this.#isEnding) {
      this.#isEnding = true;
      void this.#hookThenTerminate(graceMs, onHookFailed);
    }
    await this.ended;
    clearTimeout(kill);
  }

  async #hookThenTerminate(graceMs: number, onHookFailed?: (detail: string) => void): Promise<void> {
    const hook = this.#container.lifecycle?.preStop;
    if (hook !== undefined && graceMs > 0) {
      const result = await Promise.race([
        this.#hook(hook, graceMs),
        this.ended.then((): CheckResult => ({ ok: true, detail: '' })),
      ]);
      if (!result.ok) onHookFailed?.(result.detail);
    }
    this.#process.terminate();
  }

  async #hook(handler: Handler | undefined, timeoutMs: number): Promise<CheckResult> {
    if (handler === undefined) return { ok: true, detail: '' };
    if (handler.sleep !== undefined) {
      const ms = Math.min(handler.sleep.seconds * 1000, timeoutMs);
      await Promise.race([new Promise((resolve) => setTimeout(resolve, ms)), this.ended]);
      return { ok: true, detail: '' };
    }
    return check(handler, this.target, timeoutMs);
  }
}
