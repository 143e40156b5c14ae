import type { PodObject } from '../objects.ts';
import { podsToDelete } from './choose.ts';

const aPod = (
  name: string,
  o: { node?: string; phase?: string; readySince?: string; created?: string } = {},
): PodObject => ({
  metadata: {
    name,
    namespace: 'shop',
    uid: name,
    resourceVersion: '1',
    creationTimestamp: o.created ?? '2026-01-01T00:00:00Z',
  },
  spec: { ...(o.node === '' ? {} : { nodeName: o.node ?? 'n1' }), containers: [] },
  status: {
    phase: o.phase ?? 'Running',
    conditions: o.readySince ? [{ type: 'Ready', status: 'True', lastTransitionTime: o.readySince }] : [],
  },
});

const names = (pods: PodObject[]): string[] => pods.map(({ metadata }) => metadata.name);

test('gives up pods in the order in which they are least missed', () => {
  const pods = [
    aPod('long-ready', { readySince: '2026-01-01T00:00:10Z' }),
    aPod('just-ready', { readySince: '2026-01-01T00:09:00Z' }),
    aPod('not-ready'),
    aPod('pending', { phase: 'Pending' }),
    aPod('unassigned', { node: '', phase: 'Pending' }),
  ];
  expect(names(podsToDelete(pods, 5))).toEqual(['unassigned', 'pending', 'not-ready', 'just-ready', 'long-ready']);
  expect(names(podsToDelete(pods, 1))).toEqual(['unassigned']);
});

test('of equal pods gives up the youngest', () => {
  const pods = [aPod('old'), aPod('young', { created: '2026-01-02T00:00:00Z' })];
  expect(names(podsToDelete(pods, 1))).toEqual(['young']);
});
