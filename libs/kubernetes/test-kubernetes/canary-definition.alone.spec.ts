import {
  canaryCustomResourceDefinition,
  installCustomResourceDefinition,
  KubernetesClient,
  KubernetesError,
  resources,
  type CanaryResource,
} from '@keelson/kubernetes';
import { testCluster, type TestCluster } from '@keelson/testing';

let cluster: TestCluster;
let client: KubernetesClient;
let namespace: string;

beforeAll(async () => {
  cluster = await testCluster();
  client = KubernetesClient.fromKubeconfig(cluster.kubeconfig);
  namespace = await cluster.namespace();
  await installCustomResourceDefinition(client);
});
afterAll(async () => {
  client?.close();
  await cluster?.stop();
});

const spec = {
  stable: { deployment: 'shop-1', service: 'shop-stable' },
  canary: { deployment: 'shop-2', service: 'shop-canary' },
  route: { ingress: 'shop', host: 'shop.example' },
  steps: [{ weight: 10 }, { weight: 50, holdSeconds: 30, pause: true }],
};
const aCanary = (name: string, change: object = {}): CanaryResource =>
  ({ metadata: { name, namespace }, spec: { ...spec, ...change } }) as unknown as CanaryResource;

async function refusal(call: Promise<unknown>): Promise<KubernetesError> {
  const error = await call.then(
    () => new Error('was not refused'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof KubernetesError)) throw error;
  return error;
}

test('installing again changes nothing, and finds it established at once', async () => {
  const [one, two] = await Promise.all([
    installCustomResourceDefinition(client),
    installCustomResourceDefinition(client),
  ]);
  expect(one.metadata?.generation).toBe(two.metadata?.generation);
});

test('a definition whose schema is wrong is refused with the reason', async () => {
  const definition = structuredClone(canaryCustomResourceDefinition);
  definition.metadata = { name: 'canaries.other.example' };
  await expect(installCustomResourceDefinition(client, { definition })).rejects.toMatchObject({
    status: 422,
    reason: 'Invalid',
  });
});

test('defaults are filled in', async () => {
  const created = await client.create(resources.canaries, aCanary('defaults'));
  expect(created.spec.route.path).toBe('/');
  expect(created.spec.steps).toEqual([
    { weight: 10, holdSeconds: 60, pause: false },
    { weight: 50, holdSeconds: 30, pause: true },
  ]);
  expect(created.spec.analysis).toEqual({
    intervalSeconds: 10,
    successRate: { min: 0.99, minSample: 100 },
    warningEvents: { max: 0, ignoreReasons: [] },
    failureLimit: 2,
    inconclusiveLimitSeconds: 600,
  });
});

test.each([
  { name: 'a weight above 100', change: { steps: [{ weight: 130 }] }, field: 'spec.steps[0].weight' },
  { name: 'no steps', change: { steps: [] }, field: 'spec.steps' },
  {
    name: 'a name that is no label',
    change: { stable: { deployment: 'Shop_1', service: 's' } },
    field: 'spec.stable.deployment',
  },
  { name: 'a missing service', change: { stable: { deployment: 'shop-1' } }, field: 'spec.stable.service' },
  { name: 'a path without a slash', change: { route: { ...spec.route, path: 'orders' } }, field: 'spec.route.path' },
  { name: 'a weight in words', change: { steps: [{ weight: 'ten' }] }, field: 'spec.steps[0].weight' },
  {
    name: 'a share above one',
    change: { analysis: { successRate: { min: 99 } } },
    field: 'spec.analysis.successRate.min',
  },
])('$name is refused at $field', async ({ change, field }) => {
  const error = await refusal(client.create(resources.canaries, aCanary('refused', change)));
  expect(error.status).toBe(422);
  expect(error.causes.map((cause) => cause.field)).toContain(field);
});

test.each([
  {
    name: 'the same Deployment twice',
    change: { canary: { deployment: 'shop-1', service: 'x' } },
    said: 'need a Deployment each',
  },
  {
    name: 'the same Service twice',
    change: { canary: { deployment: 'x', service: 'shop-stable' } },
    said: 'need a Service each',
  },
  {
    name: 'a header with value and pattern',
    change: { match: { header: { name: 'x', value: 'a', pattern: 'b' } } },
    said: 'exclude each other',
  },
  { name: 'a header name with a blank', change: { match: { header: { name: 'x y' } } }, said: 'name may have' },
  {
    name: 'a header value with a comma',
    change: { match: { header: { name: 'x', value: 'a,b' } } },
    said: 'value may',
  },
  { name: 'a pattern with a quote', change: { match: { header: { name: 'x', pattern: 'a"b' } } }, said: 'pattern has' },
  { name: 'a cookie with a semicolon', change: { match: { cookie: 'a;b' } }, said: 'cookie may have' },
])('$name is refused by a rule', async ({ change, said }) => {
  const error = await refusal(client.create(resources.canaries, aCanary('ruled-out', change)));
  expect(error.status).toBe(422);
  expect(error.message).toContain(said);
});

test('what ingress-nginx understands is taken', async () => {
  const match = { header: { name: 'X-Canary_1', pattern: '^(beta|\\d+)[a-z]{2}?.*$' }, cookie: 'beta-users' };
  const created = await client.create(resources.canaries, aCanary('understood', { match }));
  expect(created.spec.match).toEqual(match);
});

test.each([
  { name: 'a name with a dot', as: 'shop.v2' },
  { name: 'a name that is too long for a label', as: 'a'.repeat(64) },
])('$name is refused by a rule', async ({ as }) => {
  const error = await refusal(client.create(resources.canaries, aCanary(as)));
  expect(error.status).toBe(422);
  expect(error.message).toContain('metadata.name must be a label');
});

test('an unknown field is refused by its name, on create as on apply', async () => {
  const odd = aCanary('unknown', { stepps: [] });
  const created = await refusal(client.create(resources.canaries, odd));
  expect(created.status).toBe(400);
  expect(created.message).toContain('unknown field "spec.stepps"');
  const applied = await refusal(client.apply(resources.canaries, odd, { fieldManager: 'test' }));
  expect(applied.message).toContain('stepps');
});

test('the generation counts changes of the spec; the status is apart', async () => {
  const { metadata } = await client.create(resources.canaries, aCanary('apart'));
  expect(metadata.generation).toBe(1);
  const lastTransitionTime = '2026-03-01T12:00:00Z';
  const status = {
    phase: 'Progressing',
    reason: 'step 1 of 2',
    step: 0,
    weight: 10,
    release: 1,
    since: lastTransitionTime,
    observedGeneration: 1,
    evidence: [{ check: 'success-rate', outcome: 'pass', summary: '0 of 412 requests failed', value: 1, sample: 412 }],
    conditions: [{ type: 'Ready', status: 'False', reason: 'Progressing', message: 'step 1 of 2', lastTransitionTime }],
  } as const;
  const outcome = await client.applyStatus(
    resources.canaries,
    { metadata: { name: 'apart', namespace }, status } as unknown as CanaryResource,
    { fieldManager: 'controller' },
  );
  expect(outcome).toMatchObject({ kind: 'applied', object: { metadata: { generation: 1 }, status } });
  const touched = await client.patch(resources.canaries, { status: { weight: 99 } }, { namespace, name: 'apart' });
  expect(touched.status?.weight).toBe(10);
  const changed = await client.patch(
    resources.canaries,
    { spec: { steps: [{ weight: 20 }] } },
    { namespace, name: 'apart' },
  );
  expect(changed.metadata.generation).toBe(2);
});

test('a phase that does not exist is refused', async () => {
  await client.create(resources.canaries, aCanary('phase'));
  const error = await refusal(
    client.patchStatus(resources.canaries, { status: { phase: 'Bored' } }, { namespace, name: 'phase' }),
  );
  expect(error.causes.map((cause) => cause.field)).toContain('status.phase');
});

test('kubectl get shows ready, phase, step, weight, reason and age', async () => {
  await client.create(resources.canaries, aCanary('shown'));
  const condition = {
    type: 'Ready',
    status: 'True',
    reason: 'Promoted',
    message: 'done',
    lastTransitionTime: '2026-03-01T12:00:00Z',
  };
  await client.patchStatus(
    resources.canaries,
    { status: { phase: 'Promoted', step: 1, weight: 100, reason: 'all steps passed', conditions: [condition] } },
    { namespace, name: 'shown' },
  );
  const table = await client.request<{ columnDefinitions: { name: string }[]; rows: { cells: unknown[] }[] }>({
    method: 'GET',
    path: `/apis/keelson.dev/v1alpha1/namespaces/${namespace}/canaries/shown`,
    accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json',
  });
  expect(table.columnDefinitions.map(({ name }) => name)).toEqual([
    'Name',
    'Ready',
    'Phase',
    'Step',
    'Weight',
    'Reason',
    'Age',
  ]);
  expect(table.rows[0]?.cells.slice(0, 6)).toEqual(['shown', 'True', 'Promoted', 1, 100, 'all steps passed']);
});
