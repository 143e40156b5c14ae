import fc from 'fast-check';
import { withFreshFirstPage, withNextPage } from './rows.ts';

const id = (item: string): string => item;

test.each([
  { name: 'new rows come in front', known: 'cba', fresh: 'edc', all: 'edcba', next: 'old' },
  { name: 'nothing new changes nothing', known: 'cba', fresh: 'cba', all: 'cba', next: 'fresh' },
  {
    name: 'where rows are missing in between, only the fresh page is kept',
    known: 'cba',
    fresh: 'zyx',
    all: 'zyx',
    next: 'fresh',
  },
  { name: 'a row that is gone from the fresh page is gone', known: 'dcba', fresh: 'db', all: 'dba', next: 'old' },
])('$name', ({ known, fresh, all, next }) => {
  const rows = withFreshFirstPage(
    { items: known.split(''), next: 'old' },
    { items: fresh.split(''), next: 'fresh' },
    id,
  );
  expect(rows).toEqual({ items: all.split(''), next });
});

test('a first page that is all there is replaces everything', () => {
  expect(withFreshFirstPage({ items: ['b', 'a'], next: undefined }, { items: ['b'] }, id)).toEqual({
    items: ['b'],
    next: undefined,
  });
});

test('whatever is added while somebody pages, the list is the true one without a row twice or left out', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 8 }),
      fc.array(fc.constantFrom('add', 'poll', 'more'), { maxLength: 30 }),
      (limit, acts) => {
        let count = 20;
        const truth = (): string[] => Array.from({ length: count }, (_, at) => String(count - at).padStart(4, '0'));
        const page = (after: string | undefined) => {
          const from = after === undefined ? 0 : truth().indexOf(after) + 1;
          const items = truth().slice(from, from + limit);
          return from + limit < count ? { items, next: items.at(-1)! } : { items };
        };
        const first = page(undefined);
        let rows = { items: first.items as readonly string[], next: first.next };
        for (const act of acts) {
          if (act === 'add') count += 1;
          else if (act === 'poll') rows = withFreshFirstPage(rows, page(undefined), id);
          else if (rows.next !== undefined) rows = withNextPage(rows, page(rows.next), id);
          const [top] = rows.items;
          const from = truth().indexOf(top!);
          expect(rows.items).toEqual(truth().slice(from, from + rows.items.length));
        }
      },
    ),
  );
});
