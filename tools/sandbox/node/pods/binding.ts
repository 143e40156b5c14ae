import type { Node, Pod } from '../kubernetes-objects.ts';

/** On a Node of ours: the namespaces (with commas) that it takes pods of; without it, all. */
export const NAMESPACES_ANNOTATION = 'keelson.dev/sandbox-namespaces';

/** A pod that nobody has bound and that a scheduler of this cluster may bind. */
export function isBindable(pod: Pod): boolean {
  return (
    (pod.spec.nodeName ?? '') === '' &&
    pod.metadata.deletionTimestamp === undefined &&
    (pod.spec.schedulerName ?? 'default-scheduler') === 'default-scheduler' &&
    (pod.spec.schedulingGates ?? []).length === 0 &&
    pod.status?.phase !== 'Failed' &&
    pod.status?.phase !== 'Succeeded'
  );
}

/** Whether a node may take a pod: ready, not cordoned, for its namespace, its labels as nodeSelector wants them. */
export function mayTake(node: Node, pod: Pod): boolean {
  if (node.spec?.unschedulable === true || !isReady(node)) return false;
  const only = node.metadata.annotations?.[NAMESPACES_ANNOTATION];
  if (only !== undefined && !only.split(',').includes(pod.metadata.namespace ?? '')) return false;
  return Object.entries(pod.spec.nodeSelector ?? {}).every(([key, value]) => node.metadata.labels?.[key] === value);
}

const isReady = (node: Node): boolean =>
  node.status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') === true;

/**
 * The nodes that may take a pod, the least loaded first (ties by name). Every node computes the same order from the same
 * pods; the first binds at once and each later one only after a while, in case those before it are dead.
 */
export function candidates(pod: Pod, nodes: readonly Node[], pods: readonly Pod[]): string[] {
  const load = new Map<string, number>();
  for (const { spec, status } of pods) {
    const over = status?.phase === 'Succeeded' || status?.phase === 'Failed';
    if (spec.nodeName !== undefined && !over) load.set(spec.nodeName, (load.get(spec.nodeName) ?? 0) + 1);
  }
  return nodes
    .filter((node) => mayTake(node, pod))
    .map((node) => node.metadata.name)
    .sort((a, b) => (load.get(a) ?? 0) - (load.get(b) ?? 0) || (a < b ? -1 : 1));
}
