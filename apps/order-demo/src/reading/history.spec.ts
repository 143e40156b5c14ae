import { documentNumber, historyOf, seriesOf } from './history.ts';

const at = (seconds: number) => new Date(Date.UTC(2026, 0, 31, 12, 0, seconds));

describe('history', () => {
  test('an accepted order has its two first steps', () => {
    const steps = historyOf({ documentNumber: 'SO-2026-000001', acceptedAt: at(0), status: 'accepted' });
    expect(steps).toEqual([
      { step: 'stock-reserved', at: '2026-01-31T12:00:00.000Z' },
      { step: 'document-numbered', at: '2026-01-31T12:00:00.000Z', detail: 'SO-2026-000001' },
    ]);
  });

  test('steps stand in the order in which they happened, a coupon granted after the compensation included', () => {
    const steps = historyOf({
      documentNumber: 'SO-2026-000001',
      acceptedAt: at(0),
      documentAt: at(3),
      couponAt: at(6),
      withdrawnAt: at(7),
      status: 'compensated',
      endedAt: at(5),
      reason: 'cancelled by the customer',
    });
    expect(steps.map((step) => step.step)).toEqual([
      'stock-reserved',
      'document-numbered',
      'document-issued',
      'stock-released',
      'compensated',
      'coupon-granted',
      'coupon-withdrawn',
    ]);
    expect(steps[4]).toMatchObject({ detail: 'cancelled by the customer' });
  });

  test.each([
    { series: 'SO-2026', number: 1, text: 'SO-2026-000001' },
    { series: 'SO-2026', number: '999999', text: 'SO-2026-999999' },
    { series: 'SO-2026', number: 1_000_000, text: 'SO-2026-1000000' },
  ])('number $number of $series reads $text', ({ series, number, text }) => {
    expect(documentNumber(series, number)).toBe(text);
  });

  test('the series changes with the year in UTC', () => {
    expect(seriesOf(new Date('2026-12-31T23:59:59.999Z'))).toBe('SO-2026');
    expect(seriesOf(new Date('2027-01-01T00:00:00.000Z'))).toBe('SO-2027');
  });
});
