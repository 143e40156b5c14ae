import type { Evidence } from '@keelson/contracts';
import { measureOf, percent } from './measure.ts';

const evidence = (part: Partial<Evidence>): Evidence => ({
  check: 'success-rate',
  outcome: 'pass',
  summary: '',
  ...part,
});

test('a success rate is told with its threshold and what it rests on; its scale is that of the failures', () => {
  const { scale, ...measure } = measureOf(evidence({ value: 0.876, threshold: 0.97, sample: 1412 }));
  expect(measure).toEqual({
    title: 'Success rate',
    value: '87.6 %',
    threshold: 'at least 97 %',
    sample: '1,412 requests',
  });
  expect(scale?.measured).toBe(1);
  expect(scale?.limit).toBeCloseTo(0.03 / 0.124);
});

test('without a verdict there is no value and no scale', () => {
  expect(measureOf(evidence({ outcome: 'inconclusive', threshold: 0.97, sample: 12 }))).toMatchObject({
    value: undefined,
    sample: '12 requests',
    scale: undefined,
  });
});

test('Warning events of which none is allowed fill the scale from the first one on', () => {
  const measure = measureOf(evidence({ check: 'warning-events', value: 4, threshold: 0 }));
  expect(measure).toMatchObject({ value: '4', threshold: 'at most 0', scale: { measured: 1, limit: 0 } });
  expect(measureOf(evidence({ check: 'warning-events', value: 0, threshold: 0 })).scale).toEqual({
    measured: 0,
    limit: 0,
  });
});

test('pods are counted', () => {
  expect(measureOf(evidence({ check: 'workload', value: 1, threshold: 1 }))).toMatchObject({
    value: '1 ready',
    threshold: 'at least 1',
  });
});

test.each([
  [1, '100 %'],
  [0.97, '97 %'],
  [0.9994, '99.9 %'],
  [0.99951, '100 %'],
])('%d is %s', (share, text) => {
  expect(percent(share)).toBe(text);
});
