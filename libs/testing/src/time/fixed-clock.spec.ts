import { fixedClock } from './fixed-clock.ts';

describe('a fixed clock', () => {
  test('stands still until it is advanced, and may go back', () => {
    const clock = fixedClock('2026-02-28T23:59:59.500Z');
    expect(clock.now()).toEqual(clock.now());
    clock.advance(500);
    expect(clock.now().toISOString()).toBe('2026-03-01T00:00:00.000Z');
    clock.advance(-86_400_000);
    expect(clock.now().toISOString()).toBe('2026-02-28T00:00:00.000Z');
  });

  test('refuses what is no point in time', () => {
    expect(() => fixedClock('yesterday')).toThrow('yesterday is no point in time');
  });
});
