import fc from 'fast-check';
import { deltaOf, latest, type SeriesState } from './delta.ts';

const at = (second: number, count: number): SeriesState => ({
  count,
  lastSeen: new Date(Date.UTC(2026, 2, 1) + second * 1000).toISOString(),
});

/** The deltas of observations in the order they were read. */
function deltas(observations: readonly SeriesState[]): number[] {
  let known: SeriesState | undefined;
  return observations.map((observed) => {
    const delta = deltaOf(observed, known);
    known = latest(observed, known);
    return delta;
  });
}

describe('what is new of a count', () => {
  const cases = [
    { name: 'is all of it at first', read: [at(0, 4)], deltas: [4] },
    { name: 'is its growth', read: [at(0, 1), at(1, 4), at(2, 9)], deltas: [1, 3, 5] },
    { name: 'is all of it when it fell: it began anew', read: [at(0, 9), at(1, 2)], deltas: [9, 2] },
    { name: 'is nothing when the observation is older', read: [at(5, 5), at(2, 3), at(6, 6)], deltas: [5, 0, 1] },
    { name: 'is nothing when only something else changed', read: [at(5, 5), at(5, 5)], deltas: [5, 0] },
    { name: 'is one when it was seen again with the same count', read: [at(5, 1), at(6, 1)], deltas: [1, 1] },
  ];
  test.each(cases)('$name', ({ read, deltas: expected }) => expect(deltas(read)).toEqual(expected));

  test('adds up to the count, however late older observations come', () => {
    const growth = fc.array(fc.nat({ max: 5 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(growth, fc.infiniteStream(fc.nat({ max: 3 })), (steps, late) => {
        let count = 1;
        const inOrder = steps.map((step, second) => at(second, (count += step + 1)));
        // Each again some places later, as the slower view shows it.
        const read = inOrder
          .flatMap((observed, index) => [
            { observed, place: index },
            { observed, place: index + 0.5 + (late.next().value ?? 0) },
          ])
          .toSorted((a, b) => a.place - b.place)
          .map(({ observed }) => observed);
        expect(deltas(read).reduce((sum, delta) => sum + delta, 0)).toBe(inOrder.at(-1)!.count);
      }),
    );
  });
});
