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
}, 60_000);

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

test('what the API server had already forgotten is written into the loss ledger and told as a Warning', async () => {
  const first = watch();
  await happen('seen');
  await eventually(async () => (await messages()).length === 1);
  await first.stop();
  await happen('gone-soon');
  await client.delete(resources.events, { namespace, name: 'gone-soon' });
  await cluster.compact();
  watch();
  const [gap] = await eventually(
    async () => {
      const found = await gaps.list({ limit: 10 });
      return found.length > 0 ? found : undefined;
    },
    { withinMs: 30_000 },
  );
  expect(gap).toMatchObject({ cluster: 'test', cause: 'expired-resource-version' });
  const lost = await searchJournal(database, { team: undefined, order: 'asc', limit: 10, reason: 'EventsLost' });
  expect(lost).toHaveLength(1);
  expect(lost[0]).toMatchObject({ type: 'Warning', object: { kind: 'Cluster', name: 'test' } });
}, 60_000);
