import type { ContainerRecord, Ended } from '../containers/record.ts';
import type { Container, ContainerStatus, Pod } from '../kubernetes-objects.ts';

/**
 * The records a pod begins with: empty for a new one; for one that this node ran before it was restarted, its counts,
 * and its last run as ended, because no process outlives the node. Init containers run again, as after a reboot.
 */
export function recordsOf(pod: Pod, now: number): ContainerRecord[] {
  const inits = (pod.spec.initContainers ?? []).map((spec) => restore(pod, spec, initKind(spec), now));
  const mains = pod.spec.containers.map((spec) => restore(pod, spec, 'main', now));
  return [...inits, ...mains];
}

const initKind = (spec: Container): 'init' | 'sidecar' => (spec.restartPolicy === 'Always' ? 'sidecar' : 'init');

function restore(pod: Pod, spec: Container, kind: ContainerRecord['kind'], now: number): ContainerRecord {
  const hasInits = (pod.spec.initContainers ?? []).length > 0;
  const fresh: ContainerRecord = {
    name: spec.name,
    spec,
    kind,
    state: { phase: 'waiting', reason: hasInits ? 'PodInitializing' : 'ContainerCreating' },
    restartCount: 0,
  };
  const statuses = kind === 'main' ? pod.status?.containerStatuses : pod.status?.initContainerStatuses;
  const status = statuses?.find((candidate) => candidate.name === spec.name);
  const end = status === undefined ? undefined : endOf(status, now);
  if (status === undefined || end === undefined) return fresh;
  if (kind !== 'main') return { ...fresh, restartCount: status.restartCount };
  return { ...fresh, state: end, restartCount: status.restartCount };
}

function endOf(status: ContainerStatus, now: number): Ended | undefined {
  const { running, terminated } = status.state;
  const end = terminated ?? status.lastState?.terminated;
  if (running !== undefined) {
    return {
      phase: 'ended',
      // What containerd reports for a container that it lost with the machine.
      exitCode: 255,
      reason: 'Unknown',
      startedAt: Date.parse(running.startedAt ?? '') || now,
      finishedAt: now,
      containerId: status.containerID ?? '',
    };
  }
  if (end === undefined) return undefined;
  return {
    phase: 'ended',
    exitCode: end.exitCode,
    ...(end.signal !== undefined && { signal: end.signal }),
    reason: end.reason ?? '',
    startedAt: Date.parse(end.startedAt ?? '') || now,
    finishedAt: Date.parse(end.finishedAt ?? '') || now,
    containerId: end.containerID ?? '',
  };
}
