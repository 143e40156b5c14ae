import type { JournalEvent } from '@keelson/contracts';
import { groupEvents } from './groups.ts';

const event = (sequence: number, reason: string, name = 'pod-a'): JournalEvent =>
  ({ sequence, id: String(sequence), reason, type: 'Warning', object: { kind: 'Pod', name } }) as JournalEvent;

test('the same thing happening again is one group, told by its newest entry', () => {
  const groups = groupEvents([
    event(9, 'Unhealthy'),
    event(8, 'BackOff'),
    event(7, 'Unhealthy'),
    event(6, 'Unhealthy', 'pod-b'),
  ]);
  expect(groups.map(({ latest, entries }) => [latest.sequence, entries])).toEqual([
    [9, 2],
    [8, 1],
    [6, 1],
  ]);
});

test('the order in which entries come does not matter', () => {
  expect(groupEvents([event(1, 'A'), event(3, 'A'), event(2, 'B')]).map(({ latest }) => latest.sequence)).toEqual([
    3, 2,
  ]);
});
