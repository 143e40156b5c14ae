import type { Canary, JournalEvent } from '@keelson/contracts';
import { isNotFound, resources } from '@keelson/kubernetes';
import { principal } from '@keelson/service-kit';
import { eventually } from '@keelson/testing';
import { aSpec } from '../src/release/release.builder.ts';
import { TestPlatform } from './platform.ts';

const platform = new TestPlatform();
const someone = principal({ name: 'ada', team: 'shop', scopes: ['*'] });
const stranger = principal({ name: 'eve', team: 'other', scopes: ['*'] });
const name = () => ({ namespace: platform.namespace, name: 'shop' });

beforeAll(() => platform.start(), 60_000);
afterAll(() => platform.stop());
beforeEach(async () => {
  await platform.begin();
  await platform.version('shop-v1');
  await platform.version('shop-v2');
  await platform.ingress('shop-v1');
});
afterEach(() => platform.end());

const quick = (changes: Record<string, unknown> = {}) =>
  aSpec({
    steps: [
      { weight: 20, holdSeconds: 1 },
      { weight: 60, holdSeconds: 1 },
    ],
    analysis: {
      intervalSeconds: 1,
      successRate: { min: 0.95, minSample: 20 },
      failureLimit: 2,
      inconclusiveLimitSeconds: 60,
    },
    ...changes,
  });

const begin = (spec = quick()) => platform.service.apply(someone, { ...name(), spec });
const see = () => platform.service.get(someone, name());

/** Requests flow to the new version until the canary is in one of these phases. */
async function until(
  phases: readonly Canary['phase'][],
  traffic: { ok: number; failed?: number } = { ok: 10 },
): Promise<Canary> {
  return eventually(
    async () => {
      platform.figures.add('shop-v2', traffic.ok, traffic.failed ?? 0);
      const canary = await see();
      return phases.includes(canary.phase) ? canary : undefined;
    },
    { withinMs: 40_000, everyMs: 100, describe: `phase ${phases.join(' or ')}` },
  );
}

async function backend(): Promise<string | undefined> {
  const ingress = await platform.client.get(resources.ingresses, name());
  return ingress.spec?.rules?.[0]?.http?.paths[0]?.backend.service?.name;
}

async function canaryWeight(): Promise<string | undefined> {
  try {
    const ingress = await platform.client.get(resources.ingresses, {
      namespace: platform.namespace,
      name: 'shop-keelson',
    });
    return ingress.metadata?.annotations?.['nginx.ingress.kubernetes.io/canary-weight'];
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

const acts = async () =>
  (await platform.service.decisions(someone, name(), { before: undefined, limit: 100 }))
    .map((one) => one.act)
    .toReversed();

test('a good version is promoted in steps, and the user’s own Ingress points to it at the end', async () => {
  await begin();
  const promoted = await until(['Promoted', 'RolledBack', 'Paused']);
  expect(promoted).toMatchObject({ phase: 'Promoted', weight: 100 });
  expect(await backend()).toBe('shop-v2');
  expect(await canaryWeight()).toBeUndefined();
  expect(await acts()).toEqual(['start', 'step', 'step', 'promote', 'promoted']);
  const resource = await platform.client.get(resources.canaries, name());
  expect(resource.status?.conditions?.find((one) => one.type === 'Promoted')).toMatchObject({ status: 'True' });
}, 60_000);

test('a version that answers 500 is rolled back, and the evidence says by how much', async () => {
  await begin();
  const canary = await until(['RolledBack', 'Promoted'], { ok: 8, failed: 2 });
  expect(canary.phase).toBe('RolledBack');
  expect(canary.reason).toMatch(/^20 % of \d+ requests failed \(\d+\); 5 % is allowed$/);
  expect(await backend()).toBe('shop-v1');
  expect(await canaryWeight()).toBeUndefined();
  const [decision] = await platform.service.decisions(someone, name(), { before: undefined, limit: 1 });
  expect(decision!.evidence.find((one) => one.check === 'success-rate')).toMatchObject({
    outcome: 'fail',
    threshold: 0.95,
  });
}, 60_000);

test('a version whose own pods have Warning events is rolled back though it answers well', async () => {
  await begin();
  await until(['Progressing']);
  const pod = await eventually(async () => {
    const pods = await platform.client.list(resources.pods, { namespace: platform.namespace });
    return pods.items.find((one) => one.metadata?.name?.startsWith('shop-v2-'))?.metadata?.name;
  });
  platform.warnings = [
    {
      sequence: 1,
      id: '0190a5f0-0000-7000-8000-000000000001',
      source: 'kubernetes',
      cluster: 'test',
      type: 'Warning',
      reason: 'BackOff',
      message: 'Back-off restarting failed container',
      object: { kind: 'Pod', namespace: platform.namespace, name: pod },
      reporter: 'kubelet',
      labels: {},
      count: 1,
      delta: 1,
      firstSeen: new Date(Date.now() + 1_000).toISOString(),
      lastSeen: new Date(Date.now() + 1_000).toISOString(),
      receivedAt: new Date().toISOString(),
    } satisfies JournalEvent,
  ];
  const canary = await until(['RolledBack', 'Promoted']);
  expect(canary.phase).toBe('RolledBack');
  expect(canary.reason).toContain('1 Warning event of the pods of shop-v2 (BackOff)');
}, 60_000);

test('no traffic is no proof: the step waits, and then a person is asked', async () => {
  await begin(
    quick({ analysis: { intervalSeconds: 1, successRate: { min: 0.95, minSample: 20 }, inconclusiveLimitSeconds: 2 } }),
  );
  const canary = await until(['Paused', 'Promoted', 'RolledBack'], { ok: 0 });
  expect(canary.phase).toBe('Paused');
  expect(canary.reason).toContain('20 are needed for a verdict');
  expect(await canaryWeight()).toBe('20');
}, 60_000);

test('abort takes all traffic back at once', async () => {
  await begin(quick({ steps: [{ weight: 50, holdSeconds: 600 }] }));
  await eventually(async () => (await canaryWeight()) === '50', { withinMs: 20_000 });
  const answered = await platform.service.command(someone, name(), { kind: 'abort', reason: 'I saw errors' });
  expect(answered).toMatchObject({ weight: 0, reason: 'I saw errors' });
  await until(['RolledBack']);
  expect(await canaryWeight()).toBeUndefined();
  const decisions = await platform.service.decisions(someone, name(), { before: undefined, limit: 100 });
  expect(decisions.find((one) => one.act === 'roll-back')).toMatchObject({ actor: 'ada', reason: 'I saw errors' });
}, 60_000);

test('another controller goes on where one was ended in the middle of a release', async () => {
  await begin();
  await eventually(async () => (await canaryWeight()) === '20', { withinMs: 20_000 });
  await platform.loop.stop();
  const before = await see();
  platform.startController();
  const promoted = await until(['Promoted', 'RolledBack']);
  expect(promoted).toMatchObject({ phase: 'Promoted', release: before.release });
  expect((await acts()).filter((act) => act === 'start')).toHaveLength(1);
}, 60_000);

test('a route that somebody removed by hand comes back', async () => {
  await begin(quick({ steps: [{ weight: 30, holdSeconds: 600 }], analysis: { intervalSeconds: 1 } }));
  await eventually(async () => (await canaryWeight()) === '30', { withinMs: 20_000 });
  await platform.client.delete(resources.ingresses, { namespace: platform.namespace, name: 'shop-keelson' });
  await eventually(async () => (await canaryWeight()) === '30', { withinMs: 20_000 });
}, 60_000);

test('a Canary that cannot work is refused with every reason before traffic moves', async () => {
  await begin(quick({ route: { ingress: 'shop', host: 'nowhere.example', path: '/' } }));
  const canary = await until(['Refused']);
  expect(canary.reason).toBe('Ingress shop has no rule for host nowhere.example and path / (spec.route)');
  expect(await backend()).toBe('shop-v1');
}, 60_000);

test('two Canaries on one host and path: the second is refused, over HTTP and as a resource', async () => {
  const long = quick({ steps: [{ weight: 30, holdSeconds: 600 }] });
  await begin(long);
  await until(['Progressing']);
  const rival = { namespace: platform.namespace, name: 'rival' };
  await expect(platform.service.apply(someone, { ...rival, spec: long })).rejects.toMatchObject({
    code: 'route-taken',
  });
  await platform.client.create(
    resources.canaries,
    {
      apiVersion: 'keelson.dev/v1alpha1',
      kind: 'Canary',
      metadata: { ...rival, labels: { 'keelson.dev/team': 'shop' } },
      spec: long,
    },
    { namespace: platform.namespace },
  );
  const refused = await eventually(async () => {
    const canary = await platform.service.get(someone, rival);
    return canary.phase === 'Refused' ? canary : undefined;
  });
  expect(refused.reason).toContain('Canary shop is Progressing on host shop.example and path /');
}, 60_000);

test('another team sees nothing of it and can do nothing to it', async () => {
  await begin();
  await expect(platform.service.get(stranger, name())).rejects.toMatchObject({ code: 'not-found' });
  await expect(platform.service.command(stranger, name(), { kind: 'abort', reason: '' })).rejects.toMatchObject({
    code: 'not-found',
  });
  await expect(platform.service.apply(stranger, { ...name(), spec: quick() })).rejects.toMatchObject({
    code: 'conflict',
  });
  expect((await platform.service.list(stranger, { after: undefined, limit: 10 })).items).toEqual([]);
}, 60_000);

test('removing the Canary in the middle of a release leaves the stable route', async () => {
  await begin(quick({ steps: [{ weight: 30, holdSeconds: 600 }] }));
  await eventually(async () => (await canaryWeight()) === '30', { withinMs: 20_000 });
  await platform.service.delete(someone, name());
  await eventually(async () => (await canaryWeight()) === undefined, { withinMs: 20_000 });
  expect(await backend()).toBe('shop-v1');
}, 60_000);

test('an unknown field of a Canary is refused by the API server', async () => {
  const misspelt = { ...quick(), stepps: [] };
  await expect(
    platform.client.create(
      resources.canaries,
      { apiVersion: 'keelson.dev/v1alpha1', kind: 'Canary', metadata: name(), spec: misspelt },
      { namespace: platform.namespace, fieldValidation: 'Strict' } as never,
    ),
  ).rejects.toThrow(/stepps/);
});
