import type { Decision, Evidence } from '@keelson/contracts';
import { draw, pointsOf } from './failure-chart.ts';

const rate = (value: number | undefined): Evidence => ({
  check: 'success-rate',
  outcome: 'pass',
  summary: '',
  threshold: 0.97,
  ...(value === undefined ? {} : { value }),
});
const decision = (second: number, value: number | undefined): Decision =>
  ({ at: new Date(second * 1000).toISOString(), evidence: [rate(value)] }) as Decision;

test('the looks with a figure become points, oldest first, without those that are not newer', () => {
  const points = pointsOf([decision(9, 0.88), decision(9, 0.88), decision(6, undefined), decision(3, 1)]);
  expect(points.map(({ at }) => at)).toEqual([3_000, 9_000]);
  expect(points[1]!.failed).toBeCloseTo(0.12);
  expect(pointsOf([decision(3, 1)], { at: 5_000, evidence: [rate(0.9)] }).at(-1)?.at).toBe(5_000);
});

test('one point makes no line', () => {
  expect(draw(pointsOf([decision(3, 1)]), { width: 100, height: 50 })).toBeUndefined();
});

test('the line goes from the left to the right edge, and what is over the limit is above its line', () => {
  const drawing = draw(pointsOf([decision(9, 0.88), decision(3, 1)]), { width: 100, height: 50 })!;
  expect(drawing.line).toBe('M0 50L100 4.5');
  expect(drawing.dots.map(({ over }) => over)).toEqual([false, true]);
  expect(drawing.dots[1]!.y).toBeLessThan(drawing.allowedY);
  expect(drawing.top).toBeCloseTo(0.132);
});
