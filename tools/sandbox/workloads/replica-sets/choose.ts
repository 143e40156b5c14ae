import { type PodObject, isReady } from '../objects.ts';

const phases = ['Pending', 'Unknown', 'Running'];

/** The order in which pods are given up: unassigned, pending, not ready, ready for the shortest time, youngest. */
function compare(a: PodObject, b: PodObject): number {
  const rank = (pod: PodObject): number[] => [
    pod.spec.nodeName ? 1 : 0,
    phases.indexOf(pod.status.phase ?? 'Pending'),
    isReady(pod) ? 1 : 0,
  ];
  const ours = rank(a);
  const theirs = rank(b);
  for (let i = 0; i < ours.length; i++) {
    const difference = (ours[i] as number) - (theirs[i] as number);
    if (difference !== 0) return difference;
  }
  const readySince = (pod: PodObject): string =>
    pod.status.conditions?.find((c) => c.type === 'Ready' && c.status === 'True')?.lastTransitionTime ?? '';
  return (
    readySince(b).localeCompare(readySince(a)) ||
    b.metadata.creationTimestamp.localeCompare(a.metadata.creationTimestamp) ||
    a.metadata.name.localeCompare(b.metadata.name)
  );
}

/** Which `count` of the pods to delete. */
export const podsToDelete = (pods: readonly PodObject[], count: number): PodObject[] =>
  [...pods].sort(compare).slice(0, count);
