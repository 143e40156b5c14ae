import { resources } from '@keelson/kubernetes';
import { eventually, type ManagedProcess } from '@keelson/testing';
import pg from 'pg';
import { controllerProcess } from './support/controller.ts';
import { PhaseReaper } from './support/phase-reaper.ts';
import { Place } from './support/place.ts';
import { clientOf, Shop } from './support/shop.ts';
import { soon } from './support/soon.ts';

// Controllers as processes of their own, which are killed and frozen.
let place: Place;
let base: Awaited<ReturnType<Place['base']>>;
let leaseNamespace: string;
let database: pg.Client;
const running: ManagedProcess[] = [];

beforeAll(async () => {
  place = await Place.start({ relay: true });
});
beforeEach(async () => {
  base = await place.base();
  leaseNamespace = await place.cluster.namespace();
  database = new pg.Client({ connectionString: base.databaseUrl });
  await database.connect();
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((one) => one.stop(5_000)));
  await database.end();
});
afterAll(() => place?.stop());

type Running = Awaited<ReturnType<typeof controllerProcess>>;

/** `name` is the replica's in the Lease: one that is started again under its name need not wait for itself. */
async function start(name: string, env: Record<string, string> = {}): Promise<Running> {
  const { databaseUrl, amqpUrl } = base;
  const started = await controllerProcess(place, {
    databaseUrl,
    amqpUrl,
    leaseNamespace,
    env: { POD_NAME: name, ...env },
  });
  running.push(started);
  return started;
}

const leader = async (): Promise<string> => {
  const lease = await place.client.find(resources.leases, {
    namespace: leaseNamespace,
    name: 'keelson-canary-controller',
  });
  return lease?.spec?.holderIdentity ?? '';
};

const story = [
  {
    name: 'a good release',
    phases: ['Pending', 'Progressing', 'Paused', 'Promoting', 'Promoted'],
    traffic: { ok: 10 },
    end: 'Promoted',
    backend: 'shop-v2',
    acts: ['start', 'step', 'pause', 'step', 'promote', 'promoted'],
  },
  {
    name: 'a bad release',
    phases: ['Pending', 'Progressing', 'RollingBack', 'RolledBack'],
    traffic: { ok: 8, failed: 2 },
    end: 'RolledBack',
    backend: 'shop-v1',
    acts: ['start', 'step', 'roll-back', 'rolled-back'],
  },
] as const;

test.each(story)(
  'kill -9 as $name enters each phase: another run goes on, and nothing is decided twice',
  async (one) => {
    let controller = await start('controller');
    const shop = await Shop.open(place);
    const reaper = await PhaseReaper.watch(database, shop);
    reaper.victim = controller;
    const steps = [
      { weight: 20, holdSeconds: 1, pause: true },
      { weight: 60, holdSeconds: 1 },
    ];
    await place.client.create(resources.canaries, shop.resource(shop.spec({ steps })));
    await eventually(
      async () => {
        if (!controller.running()) {
          controller = await start('controller');
          reaper.victim = controller;
        }
        place.figures.add(
          { ...shop.at, service: 'shop-v2' },
          one.traffic.ok,
          'failed' in one.traffic ? one.traffic.failed : 0,
        );
        const client = clientOf(controller.url);
        const canary = await client.getCanary({ params: shop.at });
        if (canary.phase === 'Paused') await client.promoteCanary({ params: shop.at, body: {} });
        return canary.phase === one.end && one.phases.every((phase) => reaper.killed.includes(phase));
      },
      { withinMs: 240_000, everyMs: 100, describe: `${one.end}, killed at ${one.phases.join(', ')}` },
    );
    expect(reaper.killed.toSorted()).toEqual([...one.phases].toSorted());
    expect(await shop.backend()).toBe(one.backend);
    await shop.untilWeight(undefined);
    const acts = (await shop.acts(clientOf(controller.url))).filter((act) => act !== 'hold');
    expect(acts).toEqual(one.acts);
  },
  300_000,
);

describe('two replicas', () => {
  test('one leads; where it is killed the other one goes on, and a command to either is carried out', async () => {
    const env = { LEASE_DURATION_SECONDS: '4' };
    const [a, b] = await Promise.all([start('a', env), start('b', env)]);
    const first = await soon(async () => (await leader()) || undefined, 'a leader');
    const [leads, follows] = first === 'a' ? [a, b] : [b, a];
    const shop = await Shop.open(place);
    await clientOf(follows.url).applyCanary({ body: { ...shop.at, spec: shop.long() } });
    await shop.untilWeight('30');
    leads.kill('SIGKILL');
    const follower = clientOf(follows.url);
    await follower.pauseCanary({ params: shop.at, body: { reason: 'the leader is gone' } });
    await soon(async () => (await leader()) === (first === 'a' ? 'b' : 'a'), 'another leader');
    const again = await start(first, env);
    // Not the leader, so it cannot act itself: the leader must learn of it, long before it would look by itself.
    await clientOf(again.url).abortCanary({ params: shop.at, body: { reason: 'asked of a follower' } });
    await shop.untilWeight(undefined);
    expect((await shop.until(follower, ['RolledBack'], { ok: 0 })).reason).toBe('asked of a follower');
    expect(await shop.acts(follower)).toEqual(['start', 'step', 'pause', 'roll-back', 'rolled-back']);
  });

  test('a leader that slept through its lease does not undo what the next one did', async () => {
    const env = { LEASE_DURATION_SECONDS: '4' };
    const sleeper = await start('sleeper', env);
    await soon(async () => (await leader()) === 'sleeper', 'the first leader');
    const shop = await Shop.open(place);
    const client = clientOf(sleeper.url);
    await client.applyCanary({ body: { ...shop.at, spec: shop.long() } });
    await shop.untilWeight('30');
    sleeper.kill('SIGSTOP');
    const awake = clientOf((await start('awake', env)).url);
    await soon(async () => (await leader()) === 'awake', 'the next leader');
    await awake.abortCanary({ params: shop.at, body: {} });
    await shop.until(awake, ['RolledBack'], { ok: 0 });
    sleeper.kill('SIGCONT');
    // It answers again, so it has had its turn.
    await soon(async () => (await client.getCanary({ params: shop.at })).phase === 'RolledBack');
    expect(await shop.weight()).toBeUndefined();
    expect(await leader()).toBe('awake');
    expect(await shop.acts(awake)).toEqual(['start', 'step', 'roll-back', 'rolled-back']);
  });
});

test('SIGTERM in the middle of a release: it ends cleanly, gives the Lease back, and the next one goes on at once', async () => {
  const first = await start('first');
  const shop = await Shop.open(place);
  await clientOf(first.url).applyCanary({ body: { ...shop.at, spec: shop.spec() } });
  await shop.untilWeight('20');
  expect(await first.stop(30_000)).toEqual({ code: 0, signal: null });
  expect(await leader()).toBe('');
  const second = await start('second');
  expect((await shop.until(clientOf(second.url), ['Promoted', 'RolledBack', 'Paused'])).phase).toBe('Promoted');
  expect(await shop.acts(clientOf(second.url))).toEqual(['start', 'step', 'step', 'promote', 'promoted']);
});
