import { eventName } from './event-name.ts';

const at = Date.parse('2026-03-01T12:00:00Z');

describe('the name of an Event', () => {
  test('is the name of what it is about and a time in nanoseconds', () => {
    const [about, time = ''] = eventName('web-1', at).split('.');
    expect(about).toBe('web-1');
    expect(Number(BigInt(`0x${time}`) / 1_000_000n)).toBe(at);
  });

  test('sorts by time, and within a millisecond in the order in which they were named', () => {
    const names = [at, at, at, at + 1].map((time) => eventName('web-1', time));
    expect(names.toSorted()).toEqual(names);
    expect(new Set(names).size).toBe(4);
  });

  test('stays within what a name may be when the object’s own is long', () => {
    expect(eventName('a'.repeat(250), at)).toMatch(/^[0-9a-f-]{36}$/);
  });
});
