import { type TestCluster, testCluster } from '@keelson/testing';

import { configMap, deployment, event, ingress, pod } from './api-objects.ts';
import { type RawApi, rawApi } from './api-raw.ts';

let cluster: TestCluster;
let api: RawApi;
let namespace: string;
let core: string;
let apps: string;

beforeAll(async () => {
  cluster = await testCluster();
  api = rawApi(cluster.kubeconfig);
  namespace = await cluster.namespace();
  core = `/api/v1/namespaces/${namespace}`;
  apps = `/apis/apps/v1/namespaces/${namespace}`;
});
afterAll(async () => {
  api.close();
  await cluster.stop();
});

describe('storing objects', () => {
  test('gives a new object its uid, version and time, and answers 201', async () => {
    const { status, body } = await api.post(`${core}/configmaps`, configMap('fresh'));
    expect(status).toBe(201);
    expect(body.metadata.uid).toMatch(/^[0-9a-f-]{36}$/);
    expect(Number(body.metadata.resourceVersion)).toBeGreaterThan(0);
    expect(Math.abs(Date.parse(body.metadata.creationTimestamp) - Date.now())).toBeLessThan(60_000);
  });

  test('makes up a name from generateName', async () => {
    const object = { ...configMap('x'), metadata: { generateName: 'made-' } };
    const { body } = await api.post(`${core}/configmaps`, object);
    expect(body.metadata.name).toMatch(/^made-[a-z0-9]{5}$/);
  });

  test('refuses a name that is taken, and says which', async () => {
    await api.post(`${core}/configmaps`, configMap('taken'));
    const { status, body } = await api.post(`${core}/configmaps`, configMap('taken'));
    expect([status, body.reason, body.message]).toEqual([409, 'AlreadyExists', 'configmaps "taken" already exists']);
  });

  test('answers 404 with the kind and the name', async () => {
    const { status, body } = await api.get(`${apps}/deployments/none`);
    expect([status, body.reason, body.message]).toEqual([404, 'NotFound', 'deployments.apps "none" not found']);
    expect(body.details).toEqual({ name: 'none', group: 'apps', kind: 'deployments' });
  });

  test('refuses an object in a namespace that is not there', async () => {
    const { status, body } = await api.post('/api/v1/namespaces/not-there/configmaps', configMap('x'));
    expect([status, body.message]).toEqual([404, 'namespaces "not-there" not found']);
  });

  test('refuses to write over a newer version', async () => {
    const { body: first } = await api.post(`${core}/configmaps`, configMap('lock'));
    await api.merge(`${core}/configmaps/lock`, { data: { key: 'second' } });
    const { status, body } = await api.call('PUT', `${core}/configmaps/lock`, { ...first, data: { key: 'third' } });
    expect([status, body.reason]).toEqual([409, 'Conflict']);
    expect(body.message).toContain('the object has been modified; please apply your changes to the latest version');
  });

  test('writes nothing when nothing changes', async () => {
    const { body: first } = await api.post(`${core}/configmaps`, configMap('same'));
    const { body: second } = await api.merge(`${core}/configmaps/same`, { data: { key: 'value' } });
    expect(second.metadata.resourceVersion).toBe(first.metadata.resourceVersion);
  });

  test('stores nothing on a dry run', async () => {
    const { status } = await api.post(`${core}/configmaps?dryRun=All`, configMap('dry'));
    expect(status).toBe(201);
    expect((await api.get(`${core}/configmaps/dry`)).status).toBe(404);
  });

  test('counts changes of the spec, and of nothing else, into the generation', async () => {
    await api.post(`${apps}/deployments`, deployment('counted', { paused: true }));
    const labelled = await api.merge(`${apps}/deployments/counted`, { metadata: { labels: { a: 'b' } } });
    expect(labelled.body.metadata.generation).toBe(1);
    const scaled = await api.merge(`${apps}/deployments/counted`, { spec: { replicas: 0 } });
    expect(scaled.body.metadata.generation).toBe(2);
  });

  test('fills in what a Deployment leaves out', async () => {
    const { body } = await api.post(`${apps}/deployments`, deployment('defaults', { paused: true }));
    expect(body.spec).toMatchObject({
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
      template: {
        spec: { restartPolicy: 'Always', dnsPolicy: 'ClusterFirst', containers: [{ imagePullPolicy: 'IfNotPresent' }] },
      },
    });
  });

  test('keeps status out of a write of the object, and the spec out of a write of the status', async () => {
    const { body } = await api.post(`${apps}/deployments`, {
      ...deployment('apart', { paused: true, replicas: 0 }),
      status: { replicas: 9 },
    });
    expect(body.status.replicas).toBeUndefined();
    const patch = { status: { replicas: 4 }, spec: { replicas: 5 } };
    const written = await api.merge(`${apps}/deployments/apart/status`, patch);
    expect([written.status, written.body.spec.replicas]).toEqual([200, 0]);
  });

  test('scales through the scale subresource', async () => {
    await api.post(`${apps}/deployments`, deployment('scaled', { paused: true }));
    const scale = await api.get(`${apps}/deployments/scaled/scale`);
    expect(scale.body).toMatchObject({ kind: 'Scale', apiVersion: 'autoscaling/v1', spec: { replicas: 1 } });
    const { resourceVersion: _, ...metadata } = scale.body.metadata;
    await api.call('PUT', `${apps}/deployments/scaled/scale`, { ...scale.body, metadata, spec: { replicas: 3 } });
    expect((await api.get(`${apps}/deployments/scaled`)).body.spec.replicas).toBe(3);
  });

  test('turns stringData of a Secret into data', async () => {
    const secret = { metadata: { name: 'words' }, stringData: { password: 'open sesame' } };
    const { body } = await api.post(`${core}/secrets`, secret);
    expect(body.stringData).toBeUndefined();
    expect(Buffer.from(body.data.password, 'base64').toString()).toBe('open sesame');
  });

  test('shows one stored event in both of its API groups', async () => {
    await api.post(`${core}/events`, event('one-event', namespace));
    const { body } = await api.get(`/apis/events.k8s.io/v1/namespaces/${namespace}/events/one-event`);
    expect(body).toMatchObject({
      apiVersion: 'events.k8s.io/v1',
      regarding: { kind: 'Pod', name: 'web' },
      note: 'Back-off restarting failed container',
      deprecatedCount: 1,
    });
  });

  test('selects events by what they are about', async () => {
    await api.post(
      `${core}/events`,
      event('about-db', namespace, { involvedObject: { kind: 'Pod', name: 'db', namespace } }),
    );
    const { body } = await api.get(`${core}/events?fieldSelector=involvedObject.name%3Ddb,type%3DWarning`);
    expect(body.items.map((item: { metadata: { name: string } }) => item.metadata.name)).toEqual(['about-db']);
    const refused = await api.get(`${core}/events?fieldSelector=colour%3Dred`);
    expect([refused.status, refused.body.message]).toEqual([400, 'field label not supported: colour']);
  });

  test('selects by label, in every form of a requirement', async () => {
    for (const [name, tier] of [
      ['l-a', 'web'],
      ['l-b', 'db'],
    ] as const) {
      await api.post(`${core}/configmaps`, configMap(name, {}, { labels: { tier, kind: 'labelled' } }));
    }
    const names = async (selector: string): Promise<string[]> => {
      const { body } = await api.get(`${core}/configmaps?labelSelector=${encodeURIComponent(selector)}`);
      return body.items.map((item: { metadata: { name: string } }) => item.metadata.name);
    };
    expect(await names('kind=labelled,tier!=web')).toEqual(['l-b']);
    expect(await names('tier in (web, cache)')).toEqual(['l-a']);
    expect(await names('tier,tier notin (web)')).toEqual(['l-b']);
    expect(await names('kind=labelled,!tier')).toEqual([]);
  });
});

const refusals: [title: string, at: string, body: object, field: string, message: string][] = [
  [
    'an Ingress path without pathType',
    'ingress',
    ingress('x', { path: '/' }),
    'spec.rules[0].http.paths[0].pathType',
    'Required value: pathType must be specified',
  ],
  [
    'a relative Ingress path',
    'ingress',
    ingress('x', { path: 'a', pathType: 'Prefix' }),
    'spec.rules[0].http.paths[0].path',
    'Invalid value: "a": must be an absolute path',
  ],
  [
    'an Ingress host that is no name',
    'ingress',
    ingress('x', { path: '/', pathType: 'Exact' }, '10.0.0.1'),
    'spec.rules[0].host',
    'Invalid value: "10.0.0.1": must be a DNS name, not an IP address',
  ],
  [
    'an unknown pathType',
    'ingress',
    ingress('x', { path: '/', pathType: 'Regex' }),
    'spec.rules[0].http.paths[0].pathType',
    'Unsupported value: "Regex": supported values: "Exact", "ImplementationSpecific", "Prefix"',
  ],
  [
    'negative replicas',
    'deployment',
    deployment('x', { replicas: -1 }),
    'spec.replicas',
    'Invalid value: -1: must be greater than or equal to 0',
  ],
  [
    'a selector that misses the template',
    'deployment',
    deployment('x', { selector: { matchLabels: { app: 'y' } } }),
    'spec.template.metadata.labels',
    'Invalid value: {"app":"x"}: `selector` does not match template `labels`',
  ],
  [
    'a bad name',
    'configmap',
    configMap('Not_A_Name'),
    'metadata.name',
    'a lowercase RFC 1123 subdomain must consist of',
  ],
  [
    'a container without an image',
    'pod',
    pod('x', { containers: [{ name: 'main' }] }),
    'spec.containers[0].image',
    'Required value',
  ],
  [
    'two containers of one name',
    'pod',
    pod('x', {
      containers: [
        { name: 'a', image: 'i' },
        { name: 'a', image: 'i' },
      ],
    }),
    'spec.containers[1].name',
    'Duplicate value: "a"',
  ],
  [
    'a Service with two unnamed ports',
    'service',
    { metadata: { name: 'x' }, spec: { ports: [{ port: 80 }, { port: 81 }] } },
    'spec.ports[0].name',
    'Required value',
  ],
  [
    'an endpoint on loopback',
    'slice',
    { metadata: { name: 'x' }, addressType: 'IPv4', endpoints: [{ addresses: ['127.0.0.1'] }] },
    'endpoints[0].addresses[0]',
    'may not be in the loopback range',
  ],
  [
    'a Lease of no length',
    'lease',
    { metadata: { name: 'x' }, spec: { holderIdentity: 'a', leaseDurationSeconds: 0 } },
    'spec.leaseDurationSeconds',
    'Invalid value: 0: must be greater than 0',
  ],
  [
    'a TLS Secret without its key',
    'secret',
    { metadata: { name: 'x' }, type: 'kubernetes.io/tls', data: { 'tls.crt': '' } },
    'data[tls.key]',
    'Required value',
  ],
];

describe('refusing objects', () => {
  test.each(refusals)('refuses %s with 422 and the field', async (_title, at, body, field, message) => {
    const places: Record<string, string> = {
      ingress: `/apis/networking.k8s.io/v1/namespaces/${namespace}/ingresses`,
      deployment: `${apps}/deployments`,
      configmap: `${core}/configmaps`,
      pod: `${core}/pods`,
      service: `${core}/services`,
      secret: `${core}/secrets`,
      slice: `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`,
      lease: `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`,
    };
    const answer = await api.post(places[at] as string, body);
    expect([answer.status, answer.body.reason]).toEqual([422, 'Invalid']);
    const cause = answer.body.details.causes.find((c: { field: string }) => c.field === field);
    expect(cause?.message).toContain(message);
  });

  test('names a value of the wrong type as Go does', async () => {
    const { status, body } = await api.post(`${apps}/deployments`, deployment('x', { replicas: 'three' }));
    expect([status, body.message]).toEqual([
      400,
      'Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32',
    ]);
  });

  test('warns of an unknown field, or refuses it when asked to be strict', async () => {
    const body = deployment('unknown', { paused: true, replica: 3 });
    const warned = await api.post(`${apps}/deployments?fieldValidation=Warn&dryRun=All`, body);
    expect([warned.status, warned.warnings]).toEqual([201, ['299 - "unknown field \\"spec.replica\\""']]);
    const refused = await api.post(`${apps}/deployments?fieldValidation=Strict`, body);
    expect([refused.status, refused.body.message]).toEqual([
      400,
      'Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: unknown field "spec.replica"',
    ]);
  });

  test.each([
    [
      "a Deployment's selector",
      'deployments',
      { spec: { selector: { matchLabels: { app: 'fixed', b: 'c' } }, template: { metadata: { labels: { b: 'c' } } } } },
      'spec.selector',
    ],
    [
      "a Deployment's template labels away from its selector",
      'deployments',
      { spec: { template: { metadata: { labels: { app: 'other' } } } } },
      'spec.template.metadata.labels',
    ],
  ])('refuses to change %s', async (_title, _plural, patch, field) => {
    await api.post(`${apps}/deployments`, deployment('fixed', { paused: true }));
    const { status, body } = await api.merge(`${apps}/deployments/fixed`, patch);
    expect([status, body.details.causes[0].field]).toEqual([422, field]);
  });

  test('refuses to change an immutable ConfigMap', async () => {
    await api.post(`${core}/configmaps`, { ...configMap('stone'), immutable: true });
    const { status, body } = await api.merge(`${core}/configmaps/stone`, { data: { key: 'other' } });
    expect([status, body.details.causes]).toEqual([
      422,
      [
        {
          reason: 'FieldValueForbidden',
          field: 'data',
          message: 'Forbidden: field is immutable when `immutable` is set',
        },
      ],
    ]);
  });

  test('answers 404 for a group that nobody serves', async () => {
    expect((await api.get('/apis/nobody.example/v1/things')).status).toBe(404);
    expect((await api.get('/apis/apps/v1/nonsense')).status).toBe(404);
  });
});
