import { type TestCluster, eventually, testCluster } from '@keelson/testing';
import { randomBytes } from 'node:crypto';

import { widgetDefinition } from './api-objects.ts';
import { type Answer, type RawApi, rawApi } from './api-raw.ts';

const group = `t${randomBytes(4).toString('hex')}.example`;
const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
let cluster: TestCluster;
let api: RawApi;
let widgets: string;

const schema = {
  type: 'object',
  required: ['weight'],
  properties: {
    weight: { type: 'integer', minimum: 0, maximum: 100 },
    min: { type: 'integer' },
    max: { type: 'integer' },
    mode: { type: 'string', enum: ['fast', 'slow'], default: 'fast' },
    host: { type: 'string', minLength: 3, maxLength: 10, pattern: '^[a-z.]+$' },
    when: { type: 'string', format: 'date-time' },
    replicas: { type: 'integer', default: 1 },
    port: { 'x-kubernetes-int-or-string': true },
    free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    tags: { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set', maxItems: 3, minItems: 1 },
    steps: {
      type: 'array',
      maxItems: 10,
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
      items: {
        type: 'object',
        required: ['name'],
        properties: { name: { type: 'string', maxLength: 20 }, weight: { type: 'integer', default: 5 } },
      },
    },
    fixed: {
      type: 'string',
      maxLength: 20,
      'x-kubernetes-validations': [{ rule: 'self == oldSelf', message: 'fixed cannot change' }],
    },
    either: {
      type: 'object',
      properties: { a: { type: 'string' }, b: { type: 'string' } },
      oneOf: [{ required: ['a'] }, { required: ['b'] }],
    },
    deep: { type: 'object', default: {}, properties: { x: { type: 'integer', default: 7 } } },
  },
  'x-kubernetes-validations': [
    { rule: '!has(self.min) || !has(self.max) || self.min <= self.max', message: 'min must not be above max' },
    {
      rule: '!has(self.steps) || self.steps.all(s, s.weight <= 100)',
      messageExpression: "'steps go up to 100'",
      fieldPath: '.steps',
      reason: 'FieldValueForbidden',
    },
  ],
};

beforeAll(async () => {
  cluster = await testCluster();
  api = rawApi(cluster.kubeconfig);
  widgets = `/apis/${group}/v1/namespaces/${await cluster.namespace()}/widgets`;
  const definition = widgetDefinition(group, schema, {
    subresources: { status: {}, scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' } },
    additionalPrinterColumns: [
      { name: 'Weight', type: 'integer', jsonPath: '.spec.weight' },
      { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
      { name: 'Mode', type: 'string', jsonPath: '.spec.mode', priority: 1 },
      { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
    ],
  });
  await api.post(definitions, definition);
  await established(`widgets.${group}`);
});
afterAll(async () => {
  await api.call('DELETE', `${definitions}/widgets.${group}`);
  api.close();
  await cluster.stop();
});

const established = (name: string): Promise<unknown> =>
  eventually(async () => {
    const { body } = await api.get(`${definitions}/${name}`);
    return body.status?.conditions?.some(
      (c: Record<string, string>) => c['type'] === 'Established' && c['status'] === 'True',
    );
  });

let count = 0;
const create = (spec: unknown, query = ''): Promise<Answer> => {
  const metadata = { name: `w${++count}` };
  return api.post(`${widgets}${query}`, { apiVersion: `${group}/v1`, kind: 'Widget', metadata, spec });
};

describe('a custom resource', () => {
  test('is discovered with its subresources', async () => {
    // Discovery follows the definition, a moment later.
    const { body } = await eventually(async () => {
      const answer = await api.get(`/apis/${group}/v1`);
      return answer.status === 200 && answer;
    });
    expect(body.resources.map((r: { name: string }) => r.name).sort()).toEqual([
      'widgets',
      'widgets/scale',
      'widgets/status',
    ]);
  });

  test('gets its defaults, deep ones too', async () => {
    const { body } = await create({ weight: 1, steps: [{ name: 'a' }] });
    expect(body.spec).toEqual({
      weight: 1,
      mode: 'fast',
      replicas: 1,
      deep: { x: 7 },
      steps: [{ name: 'a', weight: 5 }],
    });
  });

  test('loses fields that its schema does not know, with a warning, but for where they are allowed', async () => {
    const { status, body, warnings } = await create(
      { weight: 1, bogus: 1, free: { any: [1] } },
      '?fieldValidation=Warn',
    );
    expect([status, body.spec.bogus, body.spec.free]).toEqual([201, undefined, { any: [1] }]);
    expect(warnings).toEqual(['299 - "unknown field \\"spec.bogus\\""']);
    expect((await create({ weight: 1, bogus: 1 }, '?fieldValidation=Strict')).status).toBe(400);
  });

  const faults: [title: string, spec: unknown, field: string, reason: string, message: string][] = [
    ['a missing field', {}, 'spec.weight', 'FieldValueRequired', 'Required value'],
    [
      'a wrong type',
      { weight: 'x' },
      'spec.weight',
      'FieldValueTypeInvalid',
      'Invalid value: "string": spec.weight in body must be of type integer: "string"',
    ],
    [
      'a fraction for a whole number',
      { weight: 1.5 },
      'spec.weight',
      'FieldValueTypeInvalid',
      'Invalid value: "number": spec.weight in body must be of type integer: "number"',
    ],
    [
      'a number too large',
      { weight: 130 },
      'spec.weight',
      'FieldValueInvalid',
      'Invalid value: 130: spec.weight in body should be less than or equal to 100',
    ],
    [
      'a value not in the enumeration',
      { weight: 1, mode: 'other' },
      'spec.mode',
      'FieldValueNotSupported',
      'Unsupported value: "other": supported values: "fast", "slow"',
    ],
    [
      'a text too short',
      { weight: 1, host: 'a' },
      'spec.host',
      'FieldValueInvalid',
      'Invalid value: "a": spec.host in body should be at least 3 chars long',
    ],
    [
      'a text too long',
      { weight: 1, host: 'abcdefghijkl' },
      'spec.host',
      'FieldValueTooLong',
      'Too long: may not be more than 10 bytes',
    ],
    [
      'a text that does not match',
      { weight: 1, host: 'ABC' },
      'spec.host',
      'FieldValueInvalid',
      'Invalid value: "ABC": spec.host in body should match \'^[a-z.]+$\'',
    ],
    [
      'a time that is none',
      { weight: 1, when: 'yesterday' },
      'spec.when',
      'FieldValueTypeInvalid',
      'Invalid value: "yesterday": spec.when in body must be of type date-time: "yesterday"',
    ],
    [
      'neither number nor text',
      { weight: 1, port: true },
      'spec.port',
      'FieldValueTypeInvalid',
      'Invalid value: "boolean": spec.port in body must be of type integer,string: "boolean"',
    ],
    [
      'a set with an item twice',
      { weight: 1, tags: ['a', 'a'] },
      'spec.tags[1]',
      'FieldValueDuplicate',
      'Duplicate value: "a"',
    ],
    [
      'too many items',
      { weight: 1, tags: ['a', 'b', 'c', 'd'] },
      'spec.tags',
      'FieldValueTooMany',
      'Too many: 4: must have at most 3 items',
    ],
    [
      'too few items',
      { weight: 1, tags: [] },
      'spec.tags',
      'FieldValueInvalid',
      'Invalid value: 0: spec.tags in body should have at least 1 items',
    ],
    [
      'a key twice',
      { weight: 1, steps: [{ name: 'a' }, { name: 'a' }] },
      'spec.steps[1]',
      'FieldValueDuplicate',
      'Duplicate value: {"name":"a"}',
    ],
    [
      'neither of two',
      { weight: 1, either: {} },
      '<nil>',
      'FieldValueInvalid',
      'Invalid value: "": "spec.either" must validate one and only one schema (oneOf). Found none valid',
    ],
    [
      'a broken rule',
      { weight: 1, min: 3, max: 2 },
      'spec',
      'FieldValueInvalid',
      'Invalid value: "object": min must not be above max',
    ],
    [
      'a broken rule with a path of its own',
      { weight: 1, steps: [{ name: 'a', weight: 300 }] },
      'spec.steps',
      'FieldValueForbidden',
      'Forbidden: steps go up to 100',
    ],
  ];
  test.each(faults)('is refused for %s', async (_title, spec, field, reason, message) => {
    const { status, body } = await create(spec);
    expect([status, body.reason, body.details.kind, body.details.group]).toEqual([422, 'Invalid', 'Widget', group]);
    expect(body.details.causes).toContainEqual({ field, reason, message });
  });

  test('keeps to a rule about its change', async () => {
    const { body } = await create({ weight: 1, fixed: 'a' });
    const refused = await api.merge(`${widgets}/${body.metadata.name}`, { spec: { fixed: 'b' } });
    expect(refused.body.details.causes).toEqual([
      { field: 'spec.fixed', reason: 'FieldValueInvalid', message: 'Invalid value: "string": fixed cannot change' },
    ]);
    expect((await api.merge(`${widgets}/${body.metadata.name}`, { spec: { weight: 2 } })).status).toBe(200);
  });

  test('takes its status from the status subresource only', async () => {
    const { body } = await create({ weight: 1 });
    const at = `${widgets}/${body.metadata.name}`;
    expect((await api.merge(at, { status: { phase: 'A' } })).body.status).toBeUndefined();
    const written = await api.merge(`${at}/status`, { status: { phase: 'B' }, spec: { weight: 9 } });
    expect([written.body.status, written.body.spec.weight, written.body.metadata.generation]).toEqual([
      { phase: 'B' },
      1,
      1,
    ]);
    expect((await api.merge(at, { spec: { weight: 3 } })).body.metadata.generation).toBe(2);
  });

  test('scales by the paths of its definition', async () => {
    const { body } = await create({ weight: 1 });
    const at = `${widgets}/${body.metadata.name}`;
    await api.merge(`${at}/status`, { status: { replicas: 3 } });
    expect((await api.get(`${at}/scale`)).body).toMatchObject({
      kind: 'Scale',
      spec: { replicas: 1 },
      status: { replicas: 3 },
    });
    await api.merge(`${at}/scale`, { spec: { replicas: 4 } });
    expect((await api.get(at)).body.spec.replicas).toBe(4);
  });

  test('must be replaced under its version', async () => {
    const { body } = await create({ weight: 1 });
    const { resourceVersion: _, ...metadata } = body.metadata;
    const { status, body: refusal } = await api.call('PUT', `${widgets}/${metadata.name}`, { ...body, metadata });
    expect([status, refusal.details.causes[0].field]).toEqual([422, 'metadata.resourceVersion']);
  });

  test('takes no strategic patch', async () => {
    const { body } = await create({ weight: 1 });
    const type = 'application/strategic-merge-patch+json';
    expect((await api.call('PATCH', `${widgets}/${body.metadata.name}`, {}, { type })).status).toBe(415);
  });

  test('merges applied lists by their keys', async () => {
    const widget = (steps: object[]): object => ({
      apiVersion: `${group}/v1`,
      kind: 'Widget',
      metadata: { name: 'applied' },
      spec: { weight: 1, steps },
    });
    await api.apply(`${widgets}/applied?fieldManager=one`, widget([{ name: 'a', weight: 1 }]));
    const { body } = await api.apply(`${widgets}/applied?fieldManager=two`, widget([{ name: 'b', weight: 2 }]));
    expect(body.spec.steps.map((s: { name: string }) => s.name)).toEqual(['a', 'b']);
    const conflict = await api.apply(`${widgets}/applied?fieldManager=two`, widget([{ name: 'a', weight: 9 }]));
    expect(conflict.body.details.causes[0].field).toBe('.spec.steps[name="a"].weight');
  });

  test('is printed in its own columns', async () => {
    const { body } = await create({ weight: 42 });
    await api.merge(`${widgets}/${body.metadata.name}/status`, {
      status: {
        conditions: [
          { type: 'Other', status: 'False' },
          { type: 'Ready', status: 'True' },
        ],
      },
    });
    const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io';
    const { body: table } = await api.get(`${widgets}/${body.metadata.name}`, { accept });
    expect(table.columnDefinitions.map((c: Record<string, unknown>) => [c['name'], c['priority']])).toEqual([
      ['Name', 0],
      ['Weight', 0],
      ['Ready', 0],
      ['Mode', 1],
      ['Age', 0],
    ]);
    expect(table.rows[0].cells.slice(0, 4)).toEqual([body.metadata.name, 42, 'True', 'fast']);
  });
});

describe('a custom resource definition', () => {
  test('is refused when a rule of it does not compile', async () => {
    const broken = {
      type: 'object',
      properties: { a: { type: 'integer' } },
      'x-kubernetes-validations': [{ rule: 'self.a >' }],
    };
    const { status, body } = await api.post(definitions, widgetDefinition(`broken.${group}`, broken));
    expect([status, body.reason]).toEqual([422, 'Invalid']);
    expect(body.message).toContain('x-kubernetes-validations[0].rule');
    expect(body.message).toContain('compilation failed');
  });

  test('is refused when its name is not plural and group', async () => {
    const definition = widgetDefinition(`named.${group}`, { type: 'object' }) as { metadata: { name: string } };
    const { status, body } = await api.post(definitions, { ...definition, metadata: { name: `other.${group}` } });
    expect([status, body.details.causes[0].field]).toEqual([422, 'metadata.name']);
  });

  test('takes its objects along when it is deleted', async () => {
    const own = `gone.${group}`;
    await api.post(
      definitions,
      widgetDefinition(own, { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }),
    );
    await established(`widgets.${own}`);
    const path = widgets.replace(group, own);
    const body = { apiVersion: `${own}/v1`, kind: 'Widget', metadata: { name: 'last' }, spec: {} };
    await eventually(async () => (await api.post(path, body)).status === 201);
    await api.call('DELETE', `${definitions}/widgets.${own}`);
    await eventually(async () => (await api.get(path)).status === 404);
    expect((await api.get(`${definitions}/widgets.${own}`)).status).toBe(404);
  });
});
