import { uuid7 } from './uuid7.ts';

describe('uuid7', () => {
  test('has the layout of RFC 9562, version 7 and variant 10', () => {
    for (let n = 0; n < 1000; n += 1) {
      expect(uuid7()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    }
  });

  test('carries the milliseconds of its time: the example of RFC 9562 appendix A.6 starts with the same 48 bits', () => {
    expect(uuid7(0x017f22e279b0).slice(0, 13)).toBe('017f22e2-79b0');
  });

  test('sorts by time and does not repeat', () => {
    const ids = Array.from({ length: 2000 }, (_, n) => uuid7(1_700_000_000_000 + n));
    expect([...ids].sort()).toEqual(ids);
    expect(new Set(ids).size).toBe(ids.length);
  });
});
