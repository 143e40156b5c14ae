import { randomUUID } from 'node:crypto';
import { outboxMigrations } from '@keelson/messaging';
import { Database } from '@keelson/persistence';
import { testDatabase, type TestDatabase } from '@keelson/testing';
import { ReleaseChanged, ReleaseRepository, type CanaryIdentity } from '../src/history/release.repository.ts';
import { canaryMigrations } from '../src/history/schema.migration.ts';
import { aSpec, aState, at, evidence } from '../src/release/release.builder.ts';

let place: TestDatabase;
let database: Database;
let releases: ReleaseRepository;

beforeAll(async () => {
  place = await testDatabase();
  database = await Database.open({
    url: place.url,
    name: 'releases',
    migrations: [...outboxMigrations, ...canaryMigrations],
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
  });
  releases = new ReleaseRepository(database);
});
afterAll(async () => {
  await database?.close();
  await place?.drop();
});

const anIdentity = (changes: Partial<CanaryIdentity> = {}): CanaryIdentity => ({
  id: randomUUID(),
  namespace: 'demo',
  name: `shop-${randomUUID().slice(0, 8)}`,
  team: 'shop',
  ...changes,
});
const specOn = (host: string) => aSpec({ route: { ingress: 'shop', host, path: '/' } });
const save = (
  identity: CanaryIdentity,
  host: string,
  expected: number | undefined,
  phase: 'Progressing' | 'Promoted' | 'Refused' = 'Progressing',
) => database.transaction((tx) => releases.save(tx, identity, specOn(host), aState({ phase }), expected));

test('a release is read as it was written', async () => {
  const identity = anIdentity();
  const state = aState({
    trouble: 'Ingress shop is gone',
    inconclusiveSince: at(7),
    lastLookAt: at(8),
    evidence: [evidence('fail')],
  });
  await database.transaction((tx) => releases.save(tx, identity, specOn('read.example'), state, undefined));
  expect(await releases.find(identity.id)).toEqual({ identity, spec: specOn('read.example'), state, version: 1 });
});

describe('one release for each host and path', () => {
  test('of two that begin at the same moment one is written, whatever their namespaces', async () => {
    const rivals = [anIdentity(), anIdentity({ namespace: 'other' })];
    const written = await Promise.allSettled(rivals.map((rival) => save(rival, 'race.example', undefined)));
    expect(written.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    const lost = written.find((one) => one.status === 'rejected');
    expect(lost?.reason).toBeInstanceOf(ReleaseChanged);
    expect((await releases.onRoute(specOn('race.example').route))?.identity).toEqual(
      rivals[written.findIndex((one) => one.status === 'fulfilled')],
    );
  });

  test('one that is over, or was refused, does not hold it', async () => {
    await save(anIdentity(), 'free.example', undefined, 'Promoted');
    await save(anIdentity(), 'free.example', undefined, 'Refused');
    expect(await releases.onRoute(specOn('free.example').route)).toBeUndefined();
    await save(anIdentity(), 'free.example', undefined);
  });
});

describe('a write that rests on an old state', () => {
  test('is refused', async () => {
    const identity = anIdentity();
    await save(identity, 'old.example', undefined);
    await save(identity, 'old.example', 1);
    await expect(save(identity, 'old.example', 1)).rejects.toThrow(ReleaseChanged);
    await expect(save(identity, 'old.example', undefined)).rejects.toThrow(ReleaseChanged);
  });

  test('does not bring a removed release back', async () => {
    const identity = anIdentity();
    await save(identity, 'removed.example', undefined);
    await database.transaction((tx) => releases.remove(tx, identity.id));
    await expect(save(identity, 'removed.example', 1)).rejects.toThrow(ReleaseChanged);
    expect(await releases.find(identity.id)).toBeUndefined();
  });
});

test('the history is paged from the newest and shown to its own team', async () => {
  const name = { namespace: 'demo', name: 'history' };
  const [ours, theirs] = [anIdentity(name), anIdentity({ ...name, team: 'other' })];
  const draft = (reason: string) => ({ act: 'hold' as const, reason, evidence: [evidence('fail', reason)] });
  for (const [identity, reason] of [
    [ours, 'one'],
    [theirs, 'two'],
    [ours, 'three'],
  ] as const) {
    await database.transaction((tx) => releases.record(tx, identity, aState(), draft(reason), 'controller', at(0)));
  }
  const reasons = async (filter: object) =>
    (await releases.decisions({ ...name, limit: 10, ...filter })).map(({ reason }) => reason);
  expect(await reasons({})).toEqual(['three', 'two', 'one']);
  expect(await reasons({ team: 'shop' })).toEqual(['three', 'one']);
  const [newest] = await releases.decisions({ ...name, limit: 1 });
  expect(newest).toMatchObject({ act: 'hold', actor: 'controller', evidence: [evidence('fail', 'three')] });
  expect(await reasons({ before: newest!.id })).toEqual(['two', 'one']);
  expect(await reasons({ release: 2 })).toEqual([]);
});
