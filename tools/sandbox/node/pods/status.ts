import type { ContainerRecord, Ended } from '../containers/record.ts';
import {
  describePod,
  type Condition,
  type ContainerStateStatus,
  type ContainerStatus,
  type Pod,
  type PodStatus,
  type TerminatedState,
} from '../kubernetes-objects.ts';

/** The conditions that the node writes; all others belong to somebody else. */
export const OUR_CONDITIONS = [
  'PodReadyToStartContainers',
  'Initialized',
  'Ready',
  'ContainersReady',
  'PodScheduled',
] as const satisfies readonly string[];

export type StatusInput = {
  pod: Pod;
  records: readonly ContainerRecord[];
  podIp: string;
  hostIp: string;
  startTime: string;
  now: number;
};

/**
 * The status that kubelet would report for these containers: phase, conditions with their times of transition, and a
 * status per container. Conditions of others (readiness gates) are kept. Pure.
 */
export function statusOf(input: StatusInput): PodStatus {
  const { pod, records, podIp, hostIp, startTime } = input;
  const phase = phaseOf(input);
  return {
    phase,
    conditions: conditionsOf(input, phase),
    hostIP: hostIp,
    podIP: podIp,
    podIPs: [{ ip: podIp }],
    startTime,
    ...(records.some(isInit) && { initContainerStatuses: records.filter(isInit).map((r) => containerStatus(pod, r)) }),
    containerStatuses: records.filter(isMain).map((r) => containerStatus(pod, r)),
  };
}

const isMain = (record: ContainerRecord): boolean => record.kind === 'main';
const isInit = (record: ContainerRecord): boolean => record.kind !== 'main';

/** Kubelet's getPhase: counted over the main containers once the init containers are through. */
export function phaseOf({ pod, records }: Pick<StatusInput, 'pod' | 'records'>): string {
  const policy = pod.spec.restartPolicy ?? 'Always';
  const inits = records.filter((r) => r.kind === 'init');
  if (policy === 'Never' && inits.some((r) => r.state.phase === 'ended' && r.state.exitCode !== 0)) return 'Failed';
  const mains = records.filter(isMain);
  const everStarted = mains.some(
    (r) => r.state.phase === 'running' || r.last !== undefined || r.state.phase === 'ended',
  );
  if (!everStarted) return 'Pending';
  const running = mains.filter((r) => r.state.phase === 'running').length;
  const waiting = mains.filter((r) => notStarted(r) && r.last === undefined).length;
  if (waiting > 0) return 'Pending';
  if (running > 0) return 'Running';
  const ends = mains.map((r) => (r.state.phase === 'ended' ? r.state : r.last));
  const allEnded = mains.every((r) => r.state.phase === 'ended');
  const succeeded = ends.every((end) => end !== undefined && end.exitCode === 0);
  // A pod on its way out stays ended whatever its policy says.
  if (pod.metadata.deletionTimestamp !== undefined && allEnded) return succeeded ? 'Succeeded' : 'Failed';
  if (policy === 'Always') return 'Running';
  if (allEnded && succeeded) return 'Succeeded';
  return policy === 'Never' && allEnded ? 'Failed' : 'Running';
}

const notStarted = (record: ContainerRecord): boolean =>
  record.state.phase === 'waiting' || record.state.phase === 'starting';

function conditionsOf({ pod, records, now }: StatusInput, phase: string): Condition[] {
  const over = phase === 'Succeeded' || phase === 'Failed';
  const uninitialised = records.filter((r) => isInit(r) && !initialised(r)).map((r) => r.name);
  const unready = records.filter((r) => r.kind !== 'init' && !isReady(r)).map((r) => r.name);
  const initialized: Wanted =
    uninitialised.length === 0 || phase === 'Succeeded'
      ? { status: 'True', ...(phase === 'Succeeded' && { reason: 'PodCompleted' }) }
      : {
          status: 'False',
          reason: 'ContainersNotInitialized',
          message: `containers with incomplete status: [${uninitialised.join(' ')}]`,
        };
  const containersReady: Wanted = over
    ? { status: 'False', reason: phase === 'Succeeded' ? 'PodCompleted' : 'PodFailed' }
    : unready.length === 0
      ? { status: 'True' }
      : {
          status: 'False',
          reason: 'ContainersNotReady',
          message: `containers with unready status: [${unready.join(' ')}]`,
        };
  const ready = containersReady.status === 'True' ? gatesOf(pod) : containersReady;
  const wanted: [string, Wanted][] = [
    ['PodReadyToStartContainers', { status: over ? 'False' : 'True' }],
    ['Initialized', initialized],
    ['Ready', ready],
    ['ContainersReady', containersReady],
    ['PodScheduled', { status: 'True' }],
  ];
  const former = pod.status?.conditions ?? [];
  const ours = wanted.map(([type, condition]) => withTransition(type, condition, former, now));
  return [...ours, ...former.filter((condition) => !wanted.some(([type]) => type === condition.type))];
}

type Wanted = { status: 'True' | 'False'; reason?: string; message?: string };

function gatesOf(pod: Pod): Wanted {
  for (const { conditionType } of pod.spec.readinessGates ?? []) {
    const condition = pod.status?.conditions?.find((c) => c.type === conditionType);
    if (condition === undefined) {
      return {
        status: 'False',
        reason: 'ReadinessGatesNotReady',
        message: `corresponding condition of pod readiness gate "${conditionType}" does not exist.`,
      };
    }
    if (condition.status !== 'True') {
      return {
        status: 'False',
        reason: 'ReadinessGatesNotReady',
        message: `the status of pod readiness gate "${conditionType}" is not "True", but ${condition.status}`,
      };
    }
  }
  return { status: 'True' };
}

function withTransition(type: string, wanted: Wanted, former: readonly Condition[], now: number): Condition {
  const before = former.find((condition) => condition.type === type);
  const same = before?.status === wanted.status && before.lastTransitionTime;
  return { type, ...wanted, lastProbeTime: null, lastTransitionTime: same || seconds(now) };
}

const initialised = (record: ContainerRecord): boolean =>
  record.kind === 'sidecar'
    ? record.state.phase === 'running'
      ? record.state.started
      : record.last !== undefined
    : record.state.phase === 'ended' && record.state.exitCode === 0;

const isReady = (record: ContainerRecord): boolean => record.state.phase === 'running' && record.state.ready;

function containerStatus(pod: Pod, record: ContainerRecord): ContainerStatus {
  const { state, spec } = record;
  const current = stateOf(pod, record);
  const id = state.phase === 'running' || state.phase === 'ended' ? state.containerId : record.last?.containerId;
  // An init container that has done its work counts as ready.
  const done = record.kind === 'init' && state.phase === 'ended' && state.exitCode === 0;
  return {
    name: record.name,
    state: current,
    lastState: lastStateOf(record, current),
    ready: done || isReady(record),
    started: record.kind === 'init' ? false : state.phase === 'running' && state.started,
    restartCount: record.restartCount,
    image: spec.image ?? '',
    imageID: '',
    ...(id !== undefined && { containerID: id }),
  };
}

function stateOf(pod: Pod, record: ContainerRecord): ContainerStateStatus {
  const { state } = record;
  switch (state.phase) {
    case 'waiting':
      return { waiting: { reason: state.reason, ...(state.message !== undefined && { message: state.message }) } };
    case 'starting':
      return { waiting: { reason: 'ContainerCreating' } };
    case 'running':
      return { running: { startedAt: seconds(state.startedAt) } };
    case 'ended':
      if (record.backingOffMs === undefined) return { terminated: terminated(state) };
      return {
        waiting: { reason: 'CrashLoopBackOff', message: backOffMessage(pod, record.name, record.backingOffMs) },
      };
  }
}

/** Kubelet's text: `back-off 10s restarting failed container=web pod=web-1_shop(uid)`. */
export const backOffMessage = (pod: Pod, container: string, delayMs: number): string =>
  `back-off ${goDuration(delayMs)} restarting failed container=${container} pod=${describePod(pod)}`;

function lastStateOf(record: ContainerRecord, current: ContainerStateStatus): ContainerStateStatus {
  if (current.waiting !== undefined && record.state.phase === 'ended') return { terminated: terminated(record.state) };
  return record.last === undefined ? {} : { terminated: terminated(record.last) };
}

const terminated = (end: Ended): TerminatedState => ({
  exitCode: end.exitCode,
  ...(end.signal !== undefined && { signal: end.signal }),
  reason: end.reason,
  ...(end.message !== undefined && { message: end.message }),
  startedAt: seconds(end.startedAt),
  finishedAt: seconds(end.finishedAt),
  containerID: end.containerId,
});

/** Kubernetes' times have whole seconds. */
const seconds = (at: number): string => new Date(at).toISOString().replace(/\.\d+Z$/, 'Z');

/** 90000 -> `1m30s`, as Go prints a duration. */
export function goDuration(ms: number): string {
  if (ms < 1000) return `${ms}ms`;
  const total = ms / 1000;
  const minutes = Math.floor(total / 60);
  const rest = Number((total - minutes * 60).toFixed(3));
  return minutes === 0 ? `${rest}s` : `${minutes}m${rest}s`;
}
