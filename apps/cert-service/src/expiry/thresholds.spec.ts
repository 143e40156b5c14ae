import fc from 'fast-check';
import { decideNotice, DEFAULT_THRESHOLDS_SECONDS, nextNoticeAt, thresholdsFor } from './thresholds.ts';

const DAY = 86_400;
const start = new Date('2026-01-01T00:00:00Z');
const after = (seconds: number): Date => new Date(start.getTime() + seconds * 1000);
const living = (seconds: number) => ({ notBefore: start, notAfter: after(seconds) });
const days = (list: readonly number[]): number[] => list.map((seconds) => Math.round((seconds / DAY) * 100) / 100);

describe('thresholds of a certificate', () => {
  test.each([
    { lives: 397, expected: [30, 14, 7, 1] },
    { lives: 90, expected: [30, 14, 7, 1] },
    { lives: 45, expected: [15, 7, 3.5, 0.5] },
    { lives: 1, expected: [0.33, 0.16, 0.08, 0.01] },
  ])('$lives days: $expected', ({ lives, expected }) => {
    expect(days(thresholdsFor(living(lives * DAY), DEFAULT_THRESHOLDS_SECONDS))).toEqual(expected);
  });

  test('without configured thresholds there are none', () => {
    expect(thresholdsFor(living(DAY), [])).toEqual([]);
    expect(nextNoticeAt(living(DAY), [], undefined)).toBeUndefined();
  });

  test('those that fall together on a very short life count once', () => {
    expect(thresholdsFor(living(6), DEFAULT_THRESHOLDS_SECONDS)).toEqual([2, 1]);
  });
});

describe('a notice', () => {
  const certificate = { ...living(90 * DAY), noticedSeconds: undefined };
  const left = (seconds: number): Date => after(90 * DAY - seconds);

  test.each([
    { name: 'a second before the first threshold', at: left(30 * DAY + 1), announce: undefined, next: 30 },
    { name: 'at the first', at: left(30 * DAY), announce: 30, next: 14 },
    { name: 'after two were missed', at: left(10 * DAY), announce: 14, next: 7 },
    { name: 'after all were missed', at: left(60), announce: 1, next: undefined },
    { name: 'after the expiry', at: left(-1), announce: undefined, next: undefined },
  ])('$name', ({ at, announce, next }) => {
    const notice = decideNotice(certificate, DEFAULT_THRESHOLDS_SECONDS, at);
    expect(notice.announce).toBe(announce === undefined ? undefined : announce * DAY);
    expect(notice.nextAt).toEqual(next === undefined ? undefined : left(next * DAY));
  });

  test('over a life each threshold is announced at most once, the last of those passed always, in falling order', () => {
    const lifetime = fc.integer({ min: 60, max: 400 * DAY });
    const looks = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(lifetime, looks, (seconds, times) => {
        let noticed: number | undefined;
        const announced: number[] = [];
        for (const part of times.toSorted((one, other) => one - other)) {
          const now = after(seconds * part);
          const notice = decideNotice({ ...living(seconds), noticedSeconds: noticed }, DEFAULT_THRESHOLDS_SECONDS, now);
          noticed = notice.noticedSeconds;
          if (notice.announce !== undefined) announced.push(notice.announce);
          const secondsLeft = seconds * (1 - part);
          const passed = thresholdsFor(living(seconds), DEFAULT_THRESHOLDS_SECONDS).filter(
            (one) => one > secondsLeft + 1,
          );
          if (secondsLeft > 1 && passed.length > 0) expect(announced.at(-1)).toBeLessThanOrEqual(passed.at(-1)!);
          if (notice.nextAt !== undefined) expect(notice.nextAt > now).toBe(true);
        }
        expect(announced).toEqual([...new Set(announced)].toSorted((one, other) => other - one));
      }),
    );
  });
});
