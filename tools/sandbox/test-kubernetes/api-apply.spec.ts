import { type TestCluster, testCluster } from '@keelson/testing';

import { configMap } from './api-objects.ts';
import { type Answer, type RawApi, rawApi } from './api-raw.ts';

let cluster: TestCluster;
let api: RawApi;
let deployments: string;
let count = 0;

beforeAll(async () => {
  cluster = await testCluster();
  api = rawApi(cluster.kubeconfig);
  deployments = `/apis/apps/v1/namespaces/${await cluster.namespace()}/deployments`;
});
afterAll(async () => {
  api.close();
  await cluster.stop();
});

interface Parts {
  replicas?: number;
  image?: string;
  env?: Record<string, string>;
  labels?: Record<string, string>;
}

/** A Deployment that nobody's controller touches: paused. What is not given is not in the configuration. */
function config({ replicas, image = 'example/app:1', env, labels }: Parts): object {
  const list = env && Object.entries(env).map(([name, value]) => ({ name, value }));
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: labels ? { labels } : {},
    spec: {
      paused: true,
      ...(replicas === undefined ? {} : { replicas }),
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: { containers: [{ name: 'main', image, ...(list ? { env: list } : {}) }] },
      },
    },
  };
}

const named = (name: string, body: object): object => {
  const { metadata, ...rest } = body as { metadata?: object };
  return { ...rest, metadata: { ...metadata, name } };
};

const fresh = (): string => `apply-${++count}`;
const apply = (name: string, manager: string, body: object, more = ''): Promise<Answer> =>
  api.apply(`${deployments}/${name}?fieldManager=${manager}${more}`, named(name, body));
const spec = (answer: Answer): { replicas: number } => answer.body.spec;
const managers = ({ body }: Answer): [string, string, string | undefined][] =>
  body.metadata.managedFields.map((m: Record<string, string>) => [m['manager'], m['operation'], m['subresource']]);

const partial = (spec: object): object => ({ apiVersion: 'apps/v1', kind: 'Deployment', spec });

describe('server-side apply', () => {
  test('creates what is not there, and lists what its manager owns', async () => {
    const { status, body } = await apply(fresh(), 'deployer', config({ replicas: 2, labels: { a: 'b' } }));
    expect(status).toBe(201);
    expect(body.metadata.managedFields).toHaveLength(1);
    expect(body.metadata.managedFields[0]).toMatchObject({
      manager: 'deployer',
      operation: 'Apply',
      apiVersion: 'apps/v1',
      fieldsType: 'FieldsV1',
      fieldsV1: {
        'f:metadata': { 'f:labels': { 'f:a': {} } },
        'f:spec': {
          'f:replicas': {},
          'f:template': {
            'f:spec': { 'f:containers': { 'k:{"name":"main"}': { '.': {}, 'f:image': {}, 'f:name': {} } } },
          },
        },
      },
    });
  });

  test('needs a field manager', async () => {
    const { status, body } = await api.apply(`${deployments}/unmanaged`, named('unmanaged', config({})));
    expect([status, body.details.causes[0].field]).toEqual([422, 'fieldManager']);
  });

  test('refuses to change what another applied, and names each field and its owner', async () => {
    const name = fresh();
    await apply(name, 'one', config({ replicas: 2 }));
    const change = { replicas: 5, template: { spec: { containers: [{ name: 'main', image: 'example/app:2' }] } } };
    const { status, body } = await apply(name, 'two', partial(change));
    expect([status, body.reason]).toEqual([409, 'Conflict']);
    expect(body.message).toMatch(/^Apply failed with 2 conflicts: conflicts with "one"/);
    expect(body.details.causes).toEqual([
      { reason: 'FieldManagerConflict', message: 'conflict with "one"', field: '.spec.replicas' },
      {
        reason: 'FieldManagerConflict',
        message: 'conflict with "one"',
        field: '.spec.template.spec.containers[name="main"].image',
      },
    ]);
  });

  test('takes a field over by force', async () => {
    const name = fresh();
    await apply(name, 'one', config({ replicas: 2 }));
    const taken = await apply(name, 'two', partial({ replicas: 5 }), '&force=true');
    expect(spec(taken).replicas).toBe(5);
    const refused = await apply(name, 'one', config({ replicas: 2 }));
    expect(refused.body.details.causes).toEqual([
      { reason: 'FieldManagerConflict', message: 'conflict with "two"', field: '.spec.replicas' },
    ]);
  });

  test('shares a field on whose value both agree', async () => {
    const name = fresh();
    await apply(name, 'one', config({ replicas: 3 }));
    expect((await apply(name, 'two', partial({ replicas: 3 }))).status).toBe(200);
    // The first gives it up; the second still holds it.
    const { body } = await apply(name, 'one', config({}));
    expect(body.spec.replicas).toBe(3);
  });

  test('removes what its manager applied before and no longer does', async () => {
    const name = fresh();
    await apply(name, 'one', config({ env: { A: '1', B: '2' }, labels: { x: 'y' } }));
    const { body } = await apply(name, 'one', config({ env: { B: '2' } }));
    expect(body.spec.template.spec.containers[0].env).toEqual([{ name: 'B', value: '2' }]);
    expect(body.metadata.labels).toBeUndefined();
  });

  test('keeps what others wrote when it applies again', async () => {
    const name = fresh();
    await apply(name, 'one', config({ env: { A: '1' } }));
    await api.merge(`${deployments}/${name}?fieldManager=hand`, { metadata: { annotations: { note: 'mine' } } });
    const { body } = await apply(name, 'one', config({ env: { C: '3' } }));
    expect(body.metadata.annotations).toEqual({ note: 'mine' });
    expect(body.spec.template.spec.containers[0].env).toEqual([{ name: 'C', value: '3' }]);
  });

  test('names the subresource through which the other wrote', async () => {
    const name = fresh();
    await apply(name, 'one', config({ replicas: 1 }));
    await api.merge(`${deployments}/${name}/scale?fieldManager=scaler`, { spec: { replicas: 7 } });
    const { body } = await apply(name, 'one', config({ replicas: 2 }));
    expect(body.details.causes[0].message).toBe('conflict with "scaler" with subresource "scale" using apps/v1');
  });

  test('counts an update as owned by who updates', async () => {
    const name = fresh();
    const created = await apply(name, 'one', config({ replicas: 1 }));
    const updated = await api.merge(`${deployments}/${name}?fieldManager=hand`, { spec: { replicas: 4 } });
    expect(managers(updated).slice(0, 2)).toEqual([
      ['one', 'Apply', undefined],
      ['hand', 'Update', undefined],
    ]);
    const still = JSON.stringify(updated.body.metadata.managedFields[0].fieldsV1);
    expect(JSON.stringify(created.body.metadata.managedFields[0].fieldsV1)).toContain('f:replicas');
    expect(still).not.toContain('f:replicas');
  });

  test('writes nothing when it is applied twice', async () => {
    // A ConfigMap: no controller writes to it in between.
    const at = deployments.replace('/apis/apps/v1', '/api/v1').replace('deployments', 'configmaps/twice');
    const first = await api.apply(`${at}?fieldManager=one`, configMap('twice'));
    const second = await api.apply(`${at}?fieldManager=one`, configMap('twice'));
    expect(second.status).toBe(200);
    expect(second.body.metadata.resourceVersion).toBe(first.body.metadata.resourceVersion);
  });

  test('needs the name in the configuration too, to create', async () => {
    const { status, body } = await api.apply(`${deployments}/anonymous?fieldManager=one`, config({}));
    expect([status, body.message]).toEqual([
      400,
      'the name of the object (anonymous based on URL) was undeterminable: name must be provided',
    ]);
  });

  test('creates nothing on a dry run', async () => {
    const name = fresh();
    expect((await apply(name, 'one', config({}), '&dryRun=All')).status).toBe(201);
    expect((await api.get(`${deployments}/${name}`)).status).toBe(404);
  });

  test('applies a status of its own', async () => {
    const name = fresh();
    await apply(name, 'one', config({ replicas: 0 }));
    const condition = { type: 'Custom', status: 'True', reason: 'Tried', message: '' };
    const body = { apiVersion: 'apps/v1', kind: 'Deployment', status: { conditions: [condition] } };
    const answer = await api.apply(`${deployments}/${name}/status?fieldManager=judge`, named(name, body));
    expect(answer.status).toBe(200);
    expect(answer.body.status.conditions).toContainEqual(expect.objectContaining({ type: 'Custom' }));
    expect(managers(answer)).toContainEqual(['judge', 'Apply', 'status']);
  });

  test('lets an update hand fields over to another manager, or forget them all', async () => {
    const name = fresh();
    const { body } = await apply(name, 'one', config({ replicas: 0 }));
    const [entry] = body.metadata.managedFields;
    const handed = { metadata: { managedFields: [{ ...entry, manager: 'two' }] } };
    expect(managers(await api.merge(`${deployments}/${name}`, handed))[0]).toEqual(['two', 'Apply', undefined]);
    const odd = { metadata: { managedFields: [{ ...entry, operation: 'Guess' }] } };
    expect(managers(await api.merge(`${deployments}/${name}`, odd))[0]).toEqual(['two', 'Apply', undefined]);
    const forgotten = await api.merge(`${deployments}/${name}`, { metadata: { managedFields: [{}] } });
    expect(forgotten.body.metadata.managedFields).toBeUndefined();
  });

  const withContainers = (containers: unknown): object => ({ template: { spec: { containers } } });
  const inMain = (field: object): object => withContainers([{ name: 'main', ...field }]);

  test.each([
    [{ replica: 1 }, '.spec.replica: field not declared in schema'],
    [inMain({ imagee: 'x' }), '.spec.template.spec.containers[name="main"].imagee: field not declared in schema'],
    [{ replicas: 'two' }, '.spec.replicas: expected numeric (int or float), got string'],
    [{ paused: 'yes' }, '.spec.paused: expected boolean, got &{yes}'],
    [
      inMain({ image: 5 }),
      '.spec.template.spec.containers[name="main"].image: expected string, got &value.valueUnstructured{Value:5}',
    ],
    [inMain({ command: 'ls' }), '.spec.template.spec.containers[name="main"].command: expected list, got &{ls}'],
    [{ template: [1] }, '.spec.template: expected map, got &{[1]}'],
    [
      withContainers(['x']),
      '.spec.template.spec.containers: element 0: associative list with keys may not have non-map elements',
    ],
  ])('refuses %j, and names the field as conflicts do', async (wrong, said) => {
    const at = `${deployments}/wrong?fieldManager=one`;
    for (const strictness of ['', '&fieldValidation=Strict']) {
      const { status, body } = await api.apply(at + strictness, named('wrong', partial(wrong)));
      expect([status, body.message]).toEqual([
        500,
        `failed to create typed patch object (/wrong; apps/v1, Kind=Deployment): ${said}`,
      ]);
    }
  });

  test('names every field of a wrong type', async () => {
    const wrong = named('wrong', partial({ paused: 'a', minReadySeconds: 'b' }));
    const { body } = await api.apply(`${deployments}/wrong?fieldManager=one`, wrong);
    // In Go's order of a map: any.
    const [, ...faults] = body.message.split('\n  ');
    expect(faults.toSorted()).toEqual([
      '.spec.minReadySeconds: expected numeric (int or float), got string',
      '.spec.paused: expected boolean, got &{a}',
    ]);
  });

  test('refuses an item that is there twice', async () => {
    const twice = {
      template: {
        spec: {
          containers: [
            { name: 'x', image: 'a' },
            { name: 'x', image: 'b' },
          ],
        },
      },
    };
    const name = fresh();
    await apply(name, 'one', config({}));
    const { status, body } = await apply(name, 'two', partial(twice));
    expect(status).toBe(500);
    expect(body.message).toContain('.spec.template.spec.containers: duplicate entries for key [name="x"]');
  });
});
