import fc from 'fast-check';
import { aNewEntry } from '../src/journal/entry.builder.ts';
import { matches, matchSql } from '../src/rules/match.ts';
import { matchSchema } from '../src/rules/rules.ts';
import { Relay } from './support/relay.ts';

const some = (...words: [string, ...string[]]) => fc.option(fc.subarray(words, { minLength: 1 }), { nil: undefined });

/** Rules over few words, so that many match. */
const match = fc
  .record({
    types: some('Normal', 'Warning'),
    sources: some('kubernetes', 'platform', 'alertmanager'),
    namespaces: some('a', 'b'),
    kinds: some('Pod', 'Node'),
    reasons: some('R', 'S', 'T'),
    excludeReasons: some('R', 'S'),
    clusters: some('one', 'two'),
  })
  .map((given) => matchSchema.safeParse(JSON.parse(JSON.stringify(given))).data)
  .filter((rule) => rule !== undefined);

test('a rule picks the same events in the database as it does in the courier', async () => {
  const relay = await Relay.open();
  const pick = <T>(values: readonly T[], n: number): T => values[n % values.length]!;
  await relay.journal.append(
    Array.from({ length: 144 }, (_, n) => {
      const namespace = pick(['a', 'b', undefined], n);
      return aNewEntry({
        type: pick(['Normal', 'Warning'], n),
        source: pick(['kubernetes', 'platform', 'alertmanager'], n >> 1),
        reason: pick(['R', 'S', 'T'], n >> 2),
        cluster: pick(['one', 'two'], n >> 3),
        object: { kind: pick(['Pod', 'Node'], n >> 4), name: 'x', ...(namespace === undefined ? {} : { namespace }) },
      });
    }),
  );
  const entries = await relay.journal.after(0, 1000);
  await fc.assert(
    fc.asyncProperty(match, async (rule) => {
      const { sql, params } = matchSql(rule, 1);
      const rows = await relay.database.query<{ sequence: string }>(
        `SELECT sequence FROM journal WHERE ${sql} ORDER BY sequence`,
        params,
      );
      const expected = entries.filter((entry) => matches(rule, entry)).map(({ sequence }) => sequence);
      expect(rows.map(({ sequence }) => Number(sequence))).toEqual(expected);
    }),
    { numRuns: 150 },
  );
  await relay.close();
});
