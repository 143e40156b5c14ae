import {
  accessFromKubeconfig,
  KubernetesClient,
  LeaderElection,
  resources,
  type LeaderElectionOptions,
} from '@keelson/kubernetes';
import { eventually, testCluster, type TestCluster } from '@keelson/testing';
import { startFaultyProxy, type FaultyProxy } from './faulty-proxy.ts';

let cluster: TestCluster;
let direct: KubernetesClient;
let namespace: string;
const replicas: Replica[] = [];

type Replica = {
  election: LeaderElection;
  /** `b started`, `b stopped released`: of all replicas together, in order. */
  proxy: FaultyProxy;
  client: KubernetesClient;
  errors: unknown[];
};

beforeAll(async () => {
  cluster = await testCluster();
  direct = KubernetesClient.fromKubeconfig(cluster.kubeconfig);
  namespace = await cluster.namespace();
});
afterEach(async () => {
  for (const { election, proxy, client } of replicas.splice(0)) {
    await election.stop();
    client.close();
    await proxy.close();
  }
});
afterAll(async () => {
  direct?.close();
  await cluster?.stop();
});

/**
 * A replica with a connection of its own that the test can spoil. It renews every 300 ms a lease of 30 s, which no busy
 * machine lets run out; tests that wait for its end take `short`.
 */
async function replica(
  name: string,
  identity: string,
  told: string[],
  options: Partial<LeaderElectionOptions> = {},
): Promise<Replica> {
  const proxy = await startFaultyProxy(accessFromKubeconfig(cluster.kubeconfig));
  const client = new KubernetesClient(proxy.access);
  const errors: unknown[] = [];
  const election = new LeaderElection({
    client,
    namespace,
    name,
    identity,
    leaseDurationMs: 30_000,
    renewMs: 300,
    onStarted: () => void told.push(`${identity} started`),
    onStopped: (why) => void told.push(`${identity} stopped ${why}`),
    onError: (error) => errors.push(error),
    ...options,
  });
  const made = { election, proxy, client, errors };
  replicas.push(made);
  void election.run();
  return made;
}

/** A lease of 3 s, given up after 2 s. */
const short = { leaseDurationMs: 3000 };
const lease = (name: string) => direct.get(resources.leases, { namespace, name });
/** From now on this replica gets no answer at all. */
const cutOff = ({ proxy }: Replica): void => {
  proxy.fault = () => ({ kind: 'answer', status: 500, body: { message: 'cut off' } });
};

test('of two replicas one leads, and the lease says which', async () => {
  const told: string[] = [];
  const [a, b] = await Promise.all([replica('one', 'a', told), replica('one', 'b', told)]);
  const leader = await eventually(() => [a, b].find(({ election }) => election.isLeader));
  const other = leader === a ? b : a;
  // Both have looked again several times.
  const looks = other.proxy.seen.length;
  await eventually(() => other.proxy.seen.length >= looks + 4);
  expect(leader.election.isLeader).toBe(true);
  expect(other.election.isLeader).toBe(false);
  expect(other.election.fencingToken).toBeUndefined();
  const identity = leader === a ? 'a' : 'b';
  expect(other.election.leader).toBe(identity);
  expect(told).toEqual([`${identity} started`]);
  expect((await lease('one')).spec).toMatchObject({
    holderIdentity: identity,
    leaseDurationSeconds: 30,
    leaseTransitions: 0,
  });
});

test('a leader that stops hands over at once, after its work has ended', async () => {
  const told: string[] = [];
  let finish: (() => void) | undefined;
  const work = (signal: AbortSignal): Promise<void> => {
    told.push('a started');
    return new Promise((resolve) => {
      signal.addEventListener('abort', () => {
        told.push('a told to end');
        finish = () => {
          told.push('a has ended');
          resolve();
        };
      });
    });
  };
  const a = await replica('handover', 'a', told, { onStarted: work });
  await eventually(() => a.election.isLeader);
  const firstToken = a.election.fencingToken ?? NaN;
  const b = await replica('handover', 'b', told);
  await eventually(() => b.election.leader === 'a');
  const stopped = a.election.stop();
  await eventually(() => finish);
  expect(a.election.isLeader).toBe(false);
  expect((await lease('handover')).spec?.holderIdentity).toBe('a');
  finish?.();
  await stopped;
  // Long before the lease would have run out.
  await eventually(() => b.election.isLeader);
  expect(told).toEqual(['a started', 'a told to end', 'a has ended', 'a stopped released', 'b started']);
  expect(b.election.fencingToken).toBeGreaterThan(firstToken);
});

test('a leader that is cut off steps down before the other one takes over', async () => {
  const told: string[] = [];
  const a = await replica('cut-off', 'a', told, short);
  await eventually(() => a.election.isLeader);
  const b = await replica('cut-off', 'b', told, short);
  await eventually(() => b.election.leader === 'a');
  cutOff(a);
  let together = 0;
  await eventually(
    () => {
      if (a.election.isLeader && b.election.isLeader) together++;
      return b.election.isLeader;
    },
    { everyMs: 5 },
  );
  expect(together).toBe(0);
  expect(told.slice(-2)).toEqual(['a stopped lost', 'b started']);
  expect(a.errors.length).toBeGreaterThan(0);
  expect((await lease('cut-off')).spec).toMatchObject({ holderIdentity: 'b', leaseTransitions: 1 });
  // Back again, it waits its turn.
  a.proxy.fault = () => undefined;
  await eventually(() => a.election.leader === 'b');
  expect(a.election.isLeader).toBe(false);
});

test('a leader that was frozen past its time finds that it no longer leads before it does anything else', async () => {
  const told: string[] = [];
  let jump = 0;
  const a = await replica('frozen', 'a', told, { ...short, monotonic: () => performance.now() + jump });
  await eventually(() => a.election.isLeader);
  jump = 2001;
  expect(a.election.isLeader).toBe(false);
  expect(a.election.fencingToken).toBeUndefined();
  await eventually(() => told.includes('a stopped lost'));
});

test('a wall clock that jumps, in the lease or here, changes nothing', async () => {
  const told: string[] = [];
  const a = await replica('clock', 'a', told);
  await eventually(() => a.election.isLeader);
  const realNow = Date.now;
  const b = await replica('clock', 'b', told);
  try {
    Date.now = () => realNow() + 86_400_000;
    const looks = b.proxy.seen.length;
    await eventually(() => b.proxy.seen.length >= looks + 5);
  } finally {
    Date.now = realNow;
  }
  await direct.update(resources.leases, { namespace, name: 'clock', attempts: 50 }, (current) => ({
    ...current,
    spec: { ...current.spec, renewTime: '1999-01-01T00:00:00.000000Z' },
  }));
  const looks = b.proxy.seen.length;
  await eventually(() => b.proxy.seen.length >= looks + 4);
  expect(a.election.isLeader).toBe(true);
  expect(told).toEqual(['a started']);
});

test('a lease that somebody else took by force ends the term', async () => {
  const told: string[] = [];
  const a = await replica('by-force', 'a', told);
  await eventually(() => a.election.isLeader);
  await direct.update(resources.leases, { namespace, name: 'by-force', attempts: 50 }, (current) => ({
    ...current,
    spec: { ...current.spec, holderIdentity: 'somebody', leaseDurationSeconds: 60 },
  }));
  await eventually(() => told.includes('a stopped lost'));
  expect(a.election.isLeader).toBe(false);
  expect(a.election.leader).toBe('somebody');
});

test('work that fails is told, and leadership is kept', async () => {
  const told: string[] = [];
  const a = await replica('failing', 'a', told, { onStarted: () => Promise.reject(new Error('no database')) });
  await eventually(() => a.errors.length > 0);
  expect(String(a.errors[0])).toContain('no database');
  expect(a.election.isLeader).toBe(true);
});

test.each([
  { options: { identity: '' }, said: 'identity is empty' },
  { options: { leaseDurationMs: 500 }, said: 'leaseDurationMs is 500; allowed: 1000 and more' },
  { options: { renewDeadlineMs: 3000, leaseDurationMs: 3000 }, said: 'the leader must stop before others may start' },
  { options: { renewMs: 5000, renewDeadlineMs: 4000 }, said: 'renewMs 5000 < renewDeadlineMs 4000' },
])('settings that would allow two leaders are refused: $said', ({ options, said }) => {
  const sound = { client: direct, namespace, name: 'x', identity: 'a', onStarted: () => undefined };
  expect(() => new LeaderElection({ ...sound, ...options })).toThrow(said);
});
