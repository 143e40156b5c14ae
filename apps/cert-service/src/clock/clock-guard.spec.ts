import { compareClocks } from './clock-guard.ts';

const limits = { jumpMs: 5000, skewMs: 300_000 };
const before = { wallMs: 1_000_000, monotonicMs: 500 };

describe('two looks at the clocks', () => {
  test.each([
    { name: 'time went on', wall: 60_000, steady: 60_000, database: 0, expected: { jumpMs: 0, trusted: true } },
    { name: 'a small step', wall: 64_000, steady: 60_000, database: 0, expected: { jumpMs: 0, trusted: true } },
    {
      name: 'a jump ahead, the database with it',
      wall: 3_660_000,
      steady: 60_000,
      database: 0,
      expected: { jumpMs: 3_600_000, trusted: true },
    },
    {
      name: 'a jump back',
      wall: -540_000,
      steady: 60_000,
      database: 600_000,
      expected: { jumpMs: -600_000, trusted: false },
    },
    { name: 'at the limit', wall: 60_000, steady: 60_000, database: -300_000, expected: { jumpMs: 0, trusted: true } },
    {
      name: 'a millisecond beyond the limit',
      wall: 60_000,
      steady: 60_000,
      database: -300_001,
      expected: { jumpMs: 0, trusted: false },
    },
  ])('$name', ({ wall, steady, database, expected }) => {
    const wallMs = before.wallMs + wall;
    const now = { wallMs, monotonicMs: before.monotonicMs + steady, databaseMs: wallMs + database };
    expect(compareClocks(before, now, limits)).toMatchObject({ ...expected, skewMs: database === 0 ? 0 : -database });
  });

  test('the first look knows of no jump', () => {
    expect(compareClocks(undefined, { ...before, databaseMs: before.wallMs }, limits)).toEqual({
      jumpMs: 0,
      skewMs: 0,
      trusted: true,
    });
  });
});
