import type { Canary } from '@keelson/contracts';
import { stepsOf } from './steps.ts';

const spec = {
  steps: [20, 50, 100].map((weight) => ({ weight, holdSeconds: 60, pause: false })),
} as Canary['spec'];

test.each<[phase: Canary['phase'], step: number, states: string]>([
  ['Pending', -1, 'next next next'],
  ['Progressing', 0, 'current next next'],
  ['Progressing', 2, 'done done current'],
  ['Paused', 1, 'done current next'],
  ['Promoting', 2, 'done done done'],
  ['Promoted', 1, 'done done done'],
  ['RollingBack', 1, 'done failed next'],
  ['RolledBack', 0, 'failed next next'],
  ['RolledBack', -1, 'next next next'],
  ['Refused', -1, 'next next next'],
])('%s at step %i', (phase, step, states) => {
  expect(
    stepsOf({ spec, step, phase })
      .map(({ state }) => state)
      .join(' '),
  ).toBe(states);
});
