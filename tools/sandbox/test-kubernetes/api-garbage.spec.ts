import { type TestCluster, testCluster } from '@keelson/testing';
import fc from 'fast-check';

import { configMap, deployment, event, ingress, pod } from './api-objects.ts';
import { type RawApi, rawApi } from './api-raw.ts';

let cluster: TestCluster;
let api: RawApi;
let namespace: string;

beforeAll(async () => {
  cluster = await testCluster();
  api = rawApi(cluster.kubeconfig);
  namespace = await cluster.namespace();
});
afterAll(async () => {
  api.close();
  await cluster.stop();
});

const bodies: [path: string, body: object][] = [
  ['/apis/apps/v1/namespaces/NS/deployments', deployment('x')],
  [
    '/api/v1/namespaces/NS/pods',
    pod('x', {
      volumes: [{ name: 'v', emptyDir: {} }],
      containers: [
        {
          name: 'm',
          image: 'i',
          env: [{ name: 'A' }],
          ports: [{ containerPort: 1 }],
          readinessProbe: { httpGet: { port: 1 } },
          volumeMounts: [{ name: 'v', mountPath: '/v' }],
        },
      ],
    }),
  ],
  [
    '/api/v1/namespaces/NS/services',
    { metadata: { name: 'x' }, spec: { selector: { a: 'b' }, ports: [{ port: 80, targetPort: 'http' }] } },
  ],
  ['/api/v1/namespaces/NS/configmaps', configMap('x')],
  ['/api/v1/namespaces/NS/secrets', { metadata: { name: 'x' }, stringData: { a: 'b' }, data: { c: 'ZA==' } }],
  ['/api/v1/namespaces/NS/events', event('x', 'NS')],
  [
    '/apis/events.k8s.io/v1/namespaces/NS/events',
    {
      metadata: { name: 'x' },
      regarding: { kind: 'Pod', namespace: 'NS' },
      eventTime: '2026-01-01T00:00:00.000000Z',
      series: { count: 2 },
    },
  ],
  ['/apis/networking.k8s.io/v1/namespaces/NS/ingresses', ingress('x', { path: '/', pathType: 'Prefix' })],
  [
    '/apis/discovery.k8s.io/v1/namespaces/NS/endpointslices',
    {
      metadata: { name: 'x' },
      addressType: 'IPv4',
      endpoints: [{ addresses: ['10.0.0.1'], conditions: { ready: true } }],
      ports: [{ port: 1 }],
    },
  ],
  ['/apis/coordination.k8s.io/v1/namespaces/NS/leases', { metadata: { name: 'x' }, spec: { holderIdentity: 'a' } }],
  [
    '/apis/rbac.authorization.k8s.io/v1/namespaces/NS/roles',
    { metadata: { name: 'x' }, rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }] },
  ],
  [
    '/apis/rbac.authorization.k8s.io/v1/namespaces/NS/rolebindings',
    { metadata: { name: 'x' }, roleRef: { kind: 'Role', name: 'x' }, subjects: [{ kind: 'User', name: 'u' }] },
  ],
  [
    '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
    {
      metadata: { name: 'xs.garbage.example' },
      spec: {
        group: 'garbage.example',
        scope: 'Namespaced',
        names: { plural: 'xs', kind: 'X' },
        versions: [
          {
            name: 'v1',
            served: true,
            storage: true,
            schema: { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object' } } } },
            additionalPrinterColumns: [{ name: 'A', type: 'string', jsonPath: '.a' }],
          },
        ],
      },
    },
  ],
];

const junk = fc.constantFrom<unknown>(
  null,
  [],
  {},
  '',
  'x',
  0,
  -1,
  1.5,
  true,
  [null],
  [{}],
  { a: null },
  ['x'],
  '2026-01-01T00:00:00Z',
);

/** Puts `value` in the place that `choices` lead to, or removes it. */
function damaged(body: unknown, choices: number[], value: unknown): unknown {
  if (choices.length === 0 || typeof body !== 'object' || body === null) return value;
  const [choice = 0, ...rest] = choices;
  if (Array.isArray(body))
    return body.length === 0
      ? [value]
      : body.map((item, i) => (i === choice % body.length ? damaged(item, rest, value) : item));
  const keys = Object.keys(body);
  const key = keys[choice % Math.max(1, keys.length)] ?? 'more';
  return { ...body, [key]: damaged((body as Record<string, unknown>)[key], rest, value) };
}

describe('garbage', () => {
  test.each(bodies)('sent to %s is refused or read, and never breaks the server', async (path, body) => {
    const at = `${path.replace('NS', namespace)}?dryRun=All`;
    const good = JSON.parse(JSON.stringify(body).replaceAll('NS', namespace)) as unknown;
    const places = fc.array(fc.nat(20), { minLength: 1, maxLength: 7 });
    await fc.assert(
      fc.asyncProperty(places, junk, async (choices, value) => {
        const answer = await api.post(at, damaged(good, choices, value));
        expect([answer.status, answer.body.reason, answer.body.message]).not.toEqual([
          500,
          'InternalError',
          expect.anything(),
        ]);
      }),
      { numRuns: 150 },
    );
  });

  test.each(['{', 'null', '[]', '"x"', '17', ''])('in place of JSON is refused: %s', async (text) => {
    const { status } = await api.call('POST', `/api/v1/namespaces/${namespace}/configmaps`, text);
    expect([400, 422]).toContain(status);
  });

  test.each([
    'application/json-patch+json',
    'application/merge-patch+json',
    'application/strategic-merge-patch+json',
    'application/apply-patch+yaml',
  ])('as %s never breaks the server', async (type) => {
    const at = `/apis/apps/v1/namespaces/${namespace}/deployments`;
    await api.post(at, deployment('patched', { paused: true, replicas: 0 }));
    const patch =
      type === 'application/json-patch+json'
        ? [{ op: 'add', path: '/spec/template/spec/containers/0/env', value: [{ name: 'A' }] }]
        : deployment('patched', { paused: true });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(20), { minLength: 1, maxLength: 7 }), junk, async (choices, value) => {
        const { status, body } = await api.call(
          'PATCH',
          `${at}/patched?dryRun=All&fieldManager=f`,
          damaged(patch, choices, value),
          { type },
        );
        expect([status, body.reason]).not.toEqual([500, 'InternalError']);
      }),
      { numRuns: 150 },
    );
  });
});
