import { type FieldError, forbiddenField } from '../http/status.ts';
import { type Json, type KubeObject, clone, equal, timestamp } from '../json.ts';
import { age, nameColumn, since } from './columns.ts';
import { defaultPodSpec, podSpecErrors } from './pod-spec.ts';
import { type Strategy, specGeneration } from './strategy.ts';

function qosClass(spec: Json): string {
  const containers: Json[] = spec.containers ?? [];
  const some = containers.some((c) => Object.keys({ ...c.resources?.limits, ...c.resources?.requests }).length > 0);
  if (!some) return 'BestEffort';
  const guaranteed = containers.every(({ resources: { limits = {}, requests = limits } = {} as Json }) =>
    ['cpu', 'memory'].every((key) => limits[key] !== undefined && limits[key] === requests[key]),
  );
  return guaranteed ? 'Guaranteed' : 'Burstable';
}

/** A pod's one-word state, as `kubectl get` shows it (pkg/printers/internalversion printPod). */
export function podStatus(pod: KubeObject): string {
  const status = pod['status'] ?? {};
  let reason: string = status.reason || status.phase || '';
  let initializing = false;
  (status.initContainerStatuses ?? []).some((c: Json, i: number) => {
    const { terminated, waiting } = c.state ?? {};
    if (terminated?.exitCode === 0) return false;
    initializing = true;
    if (terminated) reason = `Init:${terminated.reason || `ExitCode:${terminated.exitCode}`}`;
    else if (waiting?.reason && waiting.reason !== 'PodInitializing') reason = `Init:${waiting.reason}`;
    else reason = `Init:${i}/${pod['spec'].initContainers.length}`;
    return true;
  });
  if (!initializing) {
    let running = false;
    for (const c of (status.containerStatuses ?? []).toReversed()) {
      const { waiting, terminated, running: isRunning } = c.state ?? {};
      if (waiting?.reason) reason = waiting.reason;
      else if (terminated) {
        reason =
          terminated.reason || (terminated.signal ? `Signal:${terminated.signal}` : `ExitCode:${terminated.exitCode}`);
      } else if (c.ready && isRunning) running = true;
    }
    if (reason === 'Completed' && running) {
      const ready = (status.conditions ?? []).some((c: Json) => c.type === 'Ready' && c.status === 'True');
      reason = ready ? 'Running' : 'NotReady';
    }
  }
  if (pod.metadata.deletionTimestamp) return status.reason === 'NodeLost' ? 'Unknown' : 'Terminating';
  return reason;
}

function restarts(pod: KubeObject, now: Date): string {
  const statuses: Json[] = pod['status']?.containerStatuses ?? [];
  const count = statuses.reduce((sum, c) => sum + (c.restartCount ?? 0), 0);
  const ends: string[] = statuses.map((c) => c.lastState?.terminated?.finishedAt).filter(Boolean);
  const last = ends.sort((a, b) => a.localeCompare(b)).at(-1);
  return count > 0 && last ? `${count} (${since(last, now)} ago)` : String(count);
}

const mutable = ['image', 'activeDeadlineSeconds', 'tolerations', 'terminationGracePeriodSeconds', 'nodeName'];

/** The spec without what may change after creation. */
function frozen(spec: Json): Json {
  const copy = clone(spec);
  for (const key of mutable) delete copy[key];
  for (const container of [...copy.containers, ...(copy.initContainers ?? [])]) delete container.image;
  return copy;
}

const immutableText =
  'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)';

export const pods: Strategy = {
  defaults(draft) {
    draft.spec ??= {};
    draft.status ??= {};
    defaultPodSpec(draft.spec);
    draft.spec.enableServiceLinks ??= true;
    // A limit without a request requests as much.
    for (const container of draft.spec.containers ?? []) {
      const { limits, requests } = container.resources;
      if (limits) container.resources.requests = { ...limits, ...requests };
    }
  },
  onCreate(draft, context) {
    draft.spec.serviceAccountName ||= 'default';
    draft.spec.serviceAccount = draft.spec.serviceAccountName;
    draft.spec.preemptionPolicy ??= 'PreemptLowerPriority';
    draft.spec.priority ??= 0;
    draft.spec.tolerations ??= ['not-ready', 'unreachable'].map((key) => ({
      key: `node.kubernetes.io/${key}`,
      operator: 'Exists',
      effect: 'NoExecute',
      tolerationSeconds: 300,
    }));
    draft.status = { phase: 'Pending', qosClass: qosClass(draft.spec) };
    if (draft.spec.nodeName) {
      const time = timestamp(context.now);
      draft.status.conditions = [
        { type: 'PodScheduled', status: 'True', lastProbeTime: null, lastTransitionTime: time },
      ];
    }
  },
  validate: (o) => podSpecErrors(o.spec, 'spec'),
  validateUpdate(o, old, subresource): FieldError[] {
    if (subresource || equal(frozen(o.spec), frozen(old.spec))) {
      return !subresource && o.spec.nodeName !== old.spec.nodeName ? [forbiddenField('spec', immutableText)] : [];
    }
    return [forbiddenField('spec', immutableText)];
  },
  generation: specGeneration,
  gracePeriod(pod, asked) {
    // Nothing runs that could be told to end: a pod that no node has, or that has ended.
    if (!pod.spec.nodeName || ['Succeeded', 'Failed'].includes(pod.status?.phase)) return 0;
    return asked ?? pod.spec.terminationGracePeriodSeconds ?? 30;
  },
  returnsDeleted: true,
  fields: {
    'spec.nodeName': (o) => o.spec.nodeName ?? '',
    'spec.restartPolicy': (o) => o.spec.restartPolicy,
    'spec.schedulerName': (o) => o.spec.schedulerName,
    'spec.serviceAccountName': (o) => o.spec.serviceAccountName ?? '',
    'spec.hostNetwork': (o) => String(o.spec.hostNetwork ?? false),
    'status.phase': (o) => o.status.phase ?? '',
    'status.podIP': (o) => o.status.podIP ?? '',
    'status.nominatedNodeName': (o) => o.status.nominatedNodeName ?? '',
  },
  columns: [
    nameColumn,
    {
      name: 'Ready',
      type: 'string',
      value: (o) => {
        const ready = (o['status'].containerStatuses ?? []).filter((c: Json) => c.ready && c.state?.running).length;
        return `${ready}/${o['spec'].containers.length}`;
      },
    },
    { name: 'Status', type: 'string', value: podStatus },
    { name: 'Restarts', type: 'string', value: restarts },
    age,
    { name: 'IP', type: 'string', priority: 1, value: (o) => o['status'].podIP || '<none>' },
    { name: 'Node', type: 'string', priority: 1, value: (o) => o['spec'].nodeName || '<none>' },
    { name: 'Nominated Node', type: 'string', priority: 1, value: (o) => o['status'].nominatedNodeName || '<none>' },
    { name: 'Readiness Gates', type: 'string', priority: 1, value: () => '<none>' },
  ],
};
