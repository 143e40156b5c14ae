import { uuidV7 } from './uuid-v7.ts';

describe('ids', () => {
  test('carry the time and keep the order in which they were made, also beyond what the counter holds', () => {
    const now = new Date('2026-05-05T12:00:00.123Z');
    const ids = Array.from({ length: 5000 }, () => uuidV7(now));
    expect(ids).toEqual(ids.toSorted());
    expect(new Set(ids).size).toBe(5000);
    expect(parseInt(ids[0]!.slice(0, 13).replace('-', ''), 16)).toBe(now.getTime());
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });
});
