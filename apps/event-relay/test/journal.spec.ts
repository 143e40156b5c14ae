import { Database } from '@keelson/persistence';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { GapLedger } from '../src/journal/gap-ledger.ts';
import { aNewEntry } from '../src/journal/entry.builder.ts';
import { searchJournal } from '../src/journal/search.ts';
import { normalise, type KubernetesEvent } from '../src/kubernetes/normalise.ts';
import { kubeEventerMessage } from '../src/sinks/kafka/kube-eventer.ts';
import { Relay } from './support/relay.ts';

let relay: Relay;
beforeEach(async () => {
  relay = await Relay.open();
});
afterEach(() => relay.close());

const all = () => searchJournal(relay.database, { team: undefined, order: 'asc', limit: 100 });
const count = async (table: string): Promise<number> =>
  Number((await relay.database.query<{ n: string }>(`SELECT count(*) AS n FROM ${table}`))[0]!.n);

test('an event that is read twice is stored once', async () => {
  const entry = aNewEntry();
  expect(await relay.journal.append([entry, entry])).toBe(1);
  expect(await relay.journal.append([entry])).toBe(0);
  expect(await relay.journal.head()).toBe(1);
});

test('the growth of a count is told, across transactions and within one', async () => {
  const seen = (times: number, second: number) =>
    aNewEntry({ count: times, seriesKey: 's-1', lastSeen: `2026-03-01T12:00:${second}.000Z` });
  await relay.journal.append([seen(1, 10), seen(4, 11)]);
  await relay.journal.append([seen(9, 12)]);
  await relay.journal.append([seen(3, 11), seen(2, 13)]);
  expect((await relay.journal.after(0, 10)).map((entry) => entry.delta)).toEqual([1, 3, 5, 0, 2]);
});

test('replicas that append at the same time leave no hole that a reader could pass', async () => {
  const other = await Relay.open(relay.url);
  const seen: number[] = [];
  let reading = true;
  const reader = (async () => {
    while (reading || seen.length < 80) {
      const page = await relay.journal.after(seen.at(-1) ?? 0, 7);
      seen.push(...page.map(({ sequence }) => sequence));
    }
  })();
  await Promise.all(Array.from({ length: 40 }, (_, n) => (n % 2 === 0 ? relay : other).append([`a ${n}`, `b ${n}`])));
  reading = false;
  await reader;
  expect(seen).toHaveLength(80);
  expect(await relay.journal.head()).toBe(seen.at(-1));
  await other.close();
});

test('text that PostgreSQL cannot hold is stored with the character replaced', async () => {
  await relay.journal.append([
    aNewEntry({ message: 'a\0b', labels: { 'k\0': '\ud800' }, original: { message: 'a\0b \ud800' } }),
  ]);
  const [entry] = await relay.journal.after(0, 1);
  expect(entry).toMatchObject({ message: 'a\uFFFDb', labels: { 'k\uFFFD': '\uFFFD' } });
  expect((entry!.original as { message: string }).message).toContain('a\0b');
});

test('what kube-eventer writes comes out of the journal byte for byte', async () => {
  const folder = join(import.meta.dirname, 'kube-eventer');
  const events = JSON.parse(readFileSync(join(folder, 'events.json'), 'utf8')) as KubernetesEvent[];
  const messages = JSON.parse(readFileSync(join(folder, 'messages.json'), 'utf8')) as string[];
  await relay.journal.append(
    events.map((event, index) => ({ ...normalise(event, 'c', new Date()), dedupeKey: `e/${index}` })),
  );
  expect((await relay.journal.after(0, 100)).map(kubeEventerMessage)).toEqual(messages);
});

describe('retention', () => {
  const age = (days: number) =>
    relay.database.query('UPDATE journal SET received_at = received_at - make_interval(days => $1)', [days]);

  test('removes what is old, and never what a sink or a replay has still to get', async () => {
    await relay.append(['old 1', 'old 2', 'old 3']);
    await age(31);
    await relay.append(['new']);
    await relay.database.query("INSERT INTO sink_cursors (sink, cursor) VALUES ('slow', 2), ('gone', 0)");
    expect(await relay.journal.prune(30, 100, ['slow'])).toBe(2);
    expect((await all()).map(({ message }) => message)).toEqual(['old 3', 'new']);
    await relay.database.query("UPDATE sink_cursors SET cursor = 4 WHERE sink = 'slow'");
    await relay.database.query("INSERT INTO replays (sink, cursor, until) VALUES ('slow', 2, 4)");
    expect(await relay.journal.prune(30, 100, ['slow'])).toBe(0);
    await relay.database.query('DELETE FROM replays');
    expect(await relay.journal.prune(30, 100, ['slow'])).toBe(1);
  });

  test('goes step by step', async () => {
    await relay.append(['1', '2', '3', '4', '5']);
    await age(31);
    expect(await relay.journal.prune(30, 2, [])).toBe(2);
    expect((await all()).map(({ message }) => message)).toEqual(['3', '4', '5']);
  });

  test('also of running counts that nobody saw for as long', async () => {
    const now = new Date().toISOString();
    await relay.journal.append([
      aNewEntry({ seriesKey: 'old', lastSeen: '2020-01-01T00:00:00Z' }),
      aNewEntry({ seriesKey: 'new', lastSeen: now }),
    ]);
    expect(await relay.journal.pruneCounts(30, 100)).toBe(1);
    expect(await count('event_series')).toBe(1);
  });
});

describe('the loss ledger', () => {
  const at = (second: number) => new Date(Date.UTC(2026, 2, 1, 12, 0, second));
  const gap = (from: number, to: number, cluster = 'c') =>
    ({ cluster, cause: 'expired-resource-version', from: at(from), to: at(to), detail: 'lost' }) as const;

  test('takes the same loss, found by both views at once, for one, and tells it once', async () => {
    let told = 0;
    const ledger = new GapLedger(relay.database, relay.journal, () => (told += 1));
    await Promise.all([ledger.record(gap(0, 10)), ledger.record(gap(2, 11))]);
    await ledger.record(gap(11, 20));
    await ledger.record(gap(0, 10, 'other'));
    const gaps = (await ledger.list({ limit: 10 })).toReversed();
    expect(gaps.map(({ cluster, from, to }) => [cluster, from, to])).toEqual([
      ['c', at(0).toISOString(), at(11).toISOString()],
      ['c', at(11).toISOString(), at(20).toISOString()],
      ['other', at(0).toISOString(), at(10).toISOString()],
    ]);
    expect(told).toBe(3);
    expect((await all()).map(({ reason }) => reason)).toEqual(['EventsLost', 'EventsLost', 'EventsLost']);
  });

  test('keeps its bounds in order where the clock was set back', async () => {
    const ledger = new GapLedger(relay.database, relay.journal);
    await ledger.record(gap(10, 3));
    expect(await ledger.list({ limit: 1 })).toMatchObject([{ from: at(3).toISOString(), to: at(3).toISOString() }]);
  });
});

test('a journal of the release before is taken over, originals and all', async () => {
  await relay.append(['kept']);
  const [latest] = (await import('../src/journal/migrations.ts')).journalMigrations.slice(-1);
  const runner = relay.database.dataSource.createQueryRunner();
  await new latest!().down(runner);
  await relay.database.query('DELETE FROM migrations WHERE name = $1', [latest!.name]);
  await runner.release();
  const again = await Database.open({
    url: relay.url,
    name: 'upgrade',
    migrations: (await import('../src/journal/migrations.ts')).journalMigrations,
  });
  expect((await relay.journal.after(0, 10)).map(({ message }) => message)).toEqual(['kept']);
  await again.close();
});
