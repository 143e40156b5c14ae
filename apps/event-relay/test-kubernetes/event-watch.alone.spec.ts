import { randomBytes } from 'node:crypto';
import { KubernetesClient, resources, type CoreEvent } from '@keelson/kubernetes';
import { Database } from '@keelson/persistence';
import { eventually, testCluster, testDatabase, type TestCluster, type TestDatabase } from '@keelson/testing';
import { GapLedger } from '../src/journal/gap-ledger.ts';
import { Journal } from '../src/journal/journal.ts';
import { journalMigrations } from '../src/journal/migrations.ts';
import { searchJournal } from '../src/journal/search.ts';
import { EventWatch, type EventApi } from '../src/kubernetes/event-watch.ts';
import { WatchPositions } from '../src/kubernetes/positions.ts';

const clock = { now: () => new Date() };
const log = { info: () => undefined, warn: () => undefined };

let cluster: TestCluster;
let client: KubernetesClient;
let namespace: string;
let place: TestDatabase;
let database: Database;
let journal: Journal;
let gaps: GapLedger;
const watches: EventWatch[] = [];

beforeAll(async () => {
  cluster = await testCluster();
  client = KubernetesClient.fromKubeconfig(cluster.kubeconfig);
});

afterAll(async () => {
  client.close();
  await cluster.stop();
});

beforeEach(async () => {
  namespace = await cluster.namespace();
  place = await testDatabase();
  database = await Database.open({
    url: place.url,
    name: 'event-watch-test',
    migrations: journalMigrations,
  });
  journal = new Journal(database);
  gaps = new GapLedger(database, journal);
});

afterEach(async () => {
  await Promise.all(watches.splice(0).map((watch) => watch.stop()));
  await database.close();
  await place.drop();
});

function watch(api: EventApi = 'v1'): EventWatch {
  const made = new EventWatch({
    client,
    cluster: 'test',
    api,
    database,
    journal,
    positions: new WatchPositions(database),
    gaps,
    clock,
    received: () => undefined,
    log,
  });
  watches.push(made);
  made.start();
  return made;
}

const happen = (name: string, changes: Partial<CoreEvent> = {}) =>
  client.create(
    resources.events,
    {
      metadata: { namespace, name },
      involvedObject: { kind: 'Pod', namespace, name: 'shop-1', apiVersion: 'v1' },
      type: 'Warning',
      reason: 'BackOff',
      message: `event ${name}`,
      count: 1,
      firstTimestamp: '2026-03-01T12:00:00Z',
      lastTimestamp: '2026-03-01T12:00:00Z',
      source: { component: 'kubelet', host: 'node-1' },
      ...changes,
    },
    { namespace },
  );

const stored = () => searchJournal(database, { team: undefined, order: 'asc', limit: 100, namespace });
const messages = async () => (await stored()).map((event) => event.message);

test('stores what is there and what comes, once, though both views of Events are watched', async () => {
  await happen('before');
  watch('v1');
  watch('events.k8s.io/v1');
  await eventually(async () => (await messages()).includes('event before'));
  await happen('after');
  await eventually(async () => (await messages()).length === 2);
  expect(await messages()).toEqual(['event before', 'event after']);
});

test('an event that is counted up comes again with what is new', async () => {
  watch();
  const event = await happen('counted', { count: 2 });
  await eventually(async () => (await stored()).length === 1);
  await client.patch(
    resources.events,
    { count: 7, lastTimestamp: '2026-03-01T12:05:00Z' },
    { namespace, name: event.metadata.name! },
  );
  const found = await eventually(async () => {
    const all = await stored();
    return all.length === 2 ? all : undefined;
  });
  expect(found.map(({ count, delta }) => ({ count, delta }))).toEqual([
    { count: 2, delta: 2 },
    { count: 7, delta: 5 },
  ]);
});

test('goes on where it stopped: what happened meanwhile is read, nothing twice', async () => {
  const first = watch();
  await happen('one');
  await eventually(async () => (await messages()).length === 1);
  await first.stop();
  await happen('two');
  await happen('three');
  watch();
  await eventually(async () => (await messages()).length === 3);
  expect(await messages()).toEqual(['event one', 'event two', 'event three']);
  expect(await gaps.list({ limit: 10 })).toEqual([]);
});

test('of two replicas one watches, and the other takes over', async () => {
  const first = watch();
  await eventually(() => first.state === 'watching');
  const second = watch();
  await happen('one');
  await eventually(async () => (await messages()).length === 1);
  expect(second.state).toBe('standby');
  await first.stop();
  await eventually(() => second.state === 'watching');
  await happen('two');
  await eventually(async () => (await messages()).length === 2);
});

test('what the API server had already forgotten is written into the loss ledger and told as a Warning, once', async () => {
  const first = [watch('v1'), watch('events.k8s.io/v1')];
  await happen('seen');
  await eventually(async () => (await messages()).length === 1);
  await Promise.all(first.map((one) => one.stop()));
  const reached = async () =>
    (await database.query<{ resource_version: string }>('SELECT resource_version FROM watch_positions')).map(
      (row) => row.resource_version,
    );
  const before = await reached();
  await happen('gone-soon');
  await client.delete(resources.events, { namespace, name: 'gone-soon' });
  await cluster.compact();
  await happen('still-there');
  watch('v1');
  watch('events.k8s.io/v1');
  await eventually(async () => (await reached()).every((version) => !before.includes(version)), {
    describe: 'both views behind the gap',
  });
  const found = await gaps.list({ limit: 10 });
  expect(found).toMatchObject([{ cluster: 'test', cause: 'expired-resource-version' }]);
  expect(Date.parse(found[0]!.from)).toBeLessThanOrEqual(Date.parse(found[0]!.to));
  const lost = await searchJournal(database, { team: undefined, order: 'asc', limit: 10, reason: 'EventsLost' });
  expect(lost).toMatchObject([{ type: 'Warning', object: { kind: 'Cluster', name: 'test' } }]);
  expect(await messages()).toEqual(['event seen', 'event still-there']);
});

test('a list that is only half written leaves no position behind, and the next start reads all of it', async () => {
  // Newer ones first in the list's order: whoever went on behind the first half would miss the second.
  const names = Array.from({ length: 520 }, (_, n) => `listed-${String(n).padStart(3, '0')}`).toReversed();
  for (let n = 0; n < names.length; n += 20) await Promise.all(names.slice(n, n + 20).map((name) => happen(name)));
  await database.query(`
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
      $$BEGIN RAISE EXCEPTION 'the disk is full' USING ERRCODE = '53100'; END$$`);
  await database.query(`
    CREATE TRIGGER refuse BEFORE INSERT ON journal FOR EACH ROW
      WHEN (NEW.message IN ('event listed-515', 'event listed-519')) EXECUTE FUNCTION refuse()`);
  const first = watch();
  await eventually(async () => (await journal.head()) >= 500);
  await first.stop();
  expect(await new WatchPositions(database).find('test', 'v1')).toBeUndefined();
  await database.query('DROP TRIGGER refuse ON journal');
  watch();
  const count = async () => {
    const [row] = await database.query<{ n: string }>('SELECT count(*) AS n FROM journal WHERE namespace = $1', [
      namespace,
    ]);
    return Number(row!.n);
  };
  await eventually(async () => (await count()) === names.length);
  await eventually(async () => (await new WatchPositions(database).find('test', 'v1')) !== undefined);
});

test('an Event that cannot be stored as it is holds nobody up: what was wrong with it is told in its place', async () => {
  watch();
  await happen('first');
  await eventually(async () => (await messages()).length === 1);
  const name = randomBytes(4000).toString('hex'); // longer than an index entry may be
  await happen('endless', { involvedObject: { kind: 'Pod', namespace, name, apiVersion: 'v1' } });
  await happen('nul', { message: 'cut\0here' });
  await happen('last');
  await eventually(async () => (await messages()).includes('event last'));
  expect(await messages()).toEqual(['event first', 'cut\uFFFDhere', 'event last']);
  const malformed = await searchJournal(database, {
    team: undefined,
    order: 'asc',
    limit: 10,
    reason: 'MalformedEvent',
  });
  expect(malformed).toMatchObject([
    { type: 'Warning', object: { kind: 'Event', name: 'endless' }, message: expect.stringContaining('index row size') },
  ]);
});

test('a watch whose lock is gone asks for it again, and misses nothing', async () => {
  const first = watch();
  await happen('one');
  await eventually(async () => (await messages()).length === 1);
  await database.query(
    `SELECT pg_terminate_backend(l.pid) FROM pg_locks l JOIN pg_database d ON d.oid = l.database
      WHERE l.locktype = 'advisory' AND d.datname = current_database() AND l.pid <> pg_backend_pid()`,
  );
  await happen('two');
  await eventually(() => first.state === 'watching');
  await happen('three');
  await eventually(async () => (await messages()).length === 3);
  expect(await messages()).toEqual(['event one', 'event two', 'event three']);
  expect(await gaps.list({ limit: 10 })).toEqual([]);
});
