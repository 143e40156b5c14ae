import { documentNumber, historyOf, seriesOf } from './history.ts';

const at = (seconds: number) => new Date(Date.UTC(2026, 0, 31, 12, 0, seconds));
const text = (seconds: number) => at(seconds).toISOString();

describe('history', () => {
  test('an accepted order has its two first steps', () => {
    const steps = historyOf({ documentNumber: 'SO-2026-000001', acceptedAt: at(0), status: 'accepted' });
    expect(steps).toEqual([
      { step: 'stock-reserved', at: '2026-01-31T12:00:00.000Z' },
      { step: 'document-numbered', at: '2026-01-31T12:00:00.000Z', detail: 'SO-2026-000001' },
    ]);
  });

  test('steps stand in the order in which they happened; what was never done is not said to be taken back', () => {
    const steps = historyOf({
      documentNumber: 'SO-2026-000001',
      acceptedAt: at(0),
      steps: {
        stock: { state: 'undone', doneAt: text(1), undoingAt: text(8), undoneAt: text(9) },
        payment: { state: 'undone', doneAt: text(2), undoingAt: text(7), undoneAt: text(8), detail: 'refunded' },
        document: { state: 'undone', undoingAt: text(6), undoneAt: text(7) },
        coupon: { state: 'undone', doneAt: text(3), undoingAt: text(5), undoneAt: text(6) },
        notification: { state: 'begun', begunAt: text(2) },
      },
      compensating: 'cancelled by the customer',
      status: 'compensated',
      endedAt: at(9),
      reason: 'cancelled by the customer',
    });
    expect(steps.map(({ step, at, detail }) => [step, at.slice(17, 19), detail].filter(Boolean).join(' '))).toEqual([
      'stock-reserved 00',
      'document-numbered 00 SO-2026-000001',
      'payment-taken 02',
      'coupon-granted 03',
      'compensation-begun 05 cancelled by the customer',
      'coupon-withdrawn 06',
      'payment-refunded 08 refunded',
      'stock-released 09',
      'compensated 09 cancelled by the customer',
    ]);
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
