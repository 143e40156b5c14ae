import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv, type AnySchema } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { canarySpecSchema, catalogue, placeOrderSchema, queueCatalogue } from '@keelson/contracts';
import { apis, publishedDocuments } from '../src/documents.ts';

const require = createRequire(import.meta.url);
const documents = publishedDocuments();
const openApis = documents.filter(({ path }) => path.endsWith('.openapi.json'));
const asyncApi = documents.find(({ path }) => path.endsWith('.asyncapi.json'))!;
const plain = (document: object) => JSON.parse(JSON.stringify(document)) as Record<string, unknown>;

test('there is a document for each service, one for what all of them have, and one for the messages', () => {
  // The console serves a page, the CLI nothing.
  const services = readdirSync(join(import.meta.dirname, '../../../apps')).filter(
    (name) => !['cli', 'console'].includes(name),
  );
  expect(documents.map(({ path }) => path.replace('libs/contracts/published/', '')).toSorted()).toEqual(
    [...services.map((name) => `${name}.openapi.json`), 'messages.openapi.json', 'keelson.asyncapi.json'].toSorted(),
  );
});

test.each(openApis)('$path is valid OpenAPI 3.1 by the schema of the OpenAPI Initiative', async ({ document }) => {
  const validator = new Validator();
  expect(await validator.validate(plain(document))).toEqual({ valid: true });
  expect(validator.version).toBe('3.1');
});

test('the messages are valid AsyncAPI 3.0 by the schema of the AsyncAPI Initiative', () => {
  const schema = require('@asyncapi/specs/schemas/3.0.0.json') as AnySchema;
  // Without the meta-schema of its own, as the document brings the same one along.
  const ajv = new Ajv({ strict: false, allErrors: true, meta: false });
  formats.default(ajv);
  const validate = ajv.compile(schema);
  expect([validate(plain(asyncApi.document)), validate.errors ?? []]).toEqual([true, []]);
});

test.each(documents)('every reference in $path leads somewhere', ({ document }) => {
  const whole = plain(document);
  const references = [...JSON.stringify(whole).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, path]) => path!);
  expect(references.length).toBeGreaterThan(0);
  for (const path of references) {
    const target = path
      .split('/')
      .reduce<unknown>((at, part) => (at as Record<string, unknown> | undefined)?.[part], whole);
    expect([path, typeof target]).toEqual([path, 'object']);
  }
});

test('operations and messages are all there', () => {
  const operations = openApis.flatMap(({ document }) =>
    Object.values(
      (plain(document) as { paths: Record<string, Record<string, { operationId: string }>> }).paths,
    ).flatMap((methods) => Object.values(methods).map(({ operationId }) => operationId)),
  );
  expect(operations.sort()).toEqual(apis.flatMap(({ endpoints }) => Object.keys(endpoints)).sort());
  const { messages } = plain(asyncApi.document)['components'] as { messages: object };
  const replies = Object.values(catalogue).flatMap((one) =>
    'reply' in one ? [`${one.routingKey}.reply`, `${one.routingKey}.problem`] : [],
  );
  expect(replies).toContain('quote.requested.v1.reply');
  expect(Object.keys(messages)).toEqual([...Object.keys(catalogue), ...replies].sort());
});

test('each queue receives its messages, and a request has a reply, at who asks and at who answers', () => {
  const { operations, channels } = plain(asyncApi.document) as Record<string, Record<string, object>>;
  expect(Object.keys(operations!).filter((name) => name.startsWith('receive.'))).toEqual(
    queueCatalogue.map(({ queue }) => `receive.${queue}`),
  );
  for (const { queue, service, messages } of queueCatalogue) {
    const at = `#/channels/queue.${queue}`;
    expect(operations![`receive.${queue}`]).toMatchObject({
      action: 'receive',
      channel: { $ref: at },
      tags: [{ name: service }],
      messages: expect.arrayContaining(messages.map(({ routingKey }) => ({ $ref: `${at}/messages/${routingKey}` }))),
    });
  }
  const older = '#/channels/queue.order-demo.coupons/messages/coupon.expired.v1';
  expect(JSON.stringify(operations!['receive.order-demo.coupons'])).toContain(older);
  const reply = { channel: { $ref: '#/channels/reply.quote.requested.v1' } };
  const withReply = Object.entries(operations!).filter(([, operation]) => 'reply' in operation);
  expect(withReply).toEqual([
    ['send.quote.requested.v1', expect.objectContaining({ reply: expect.objectContaining(reply) })],
    ['receive.order-demo.quotes', expect.objectContaining({ reply: expect.objectContaining(reply) })],
  ]);
  expect(channels!['reply.quote.requested.v1']).toMatchObject({
    address: null,
    messages: { 'quote.requested.v1.reply': {}, 'quote.requested.v1.problem': {} },
  });
});

describe('a JSON Schema validator of somebody else reads the documents as the services read requests', () => {
  const validatorFor = (service: string, component: string) => {
    const whole = plain(openApis.find(({ path }) => path.includes(`/${service}.`))!.document);
    const ajv = new Ajv2020({ strict: false });
    formats.default(ajv);
    ajv.addSchema({ $id: 'doc', ...whole });
    return ajv.compile({ $ref: `doc#/components/schemas/${component}` });
  };
  const order = { customer: 'c', phone: '+4930123456', lines: [{ sku: 'a', quantity: 1 }] };
  const canary = {
    stable: { deployment: 'a', service: 'a' },
    canary: { deployment: 'b', service: 'b' },
    route: { ingress: 'shop', host: 'shop.example' },
    steps: [{ weight: 10 }],
  };

  test.each([
    ['order-demo', 'PlaceOrder', placeOrderSchema, order],
    ['order-demo', 'PlaceOrder', placeOrderSchema, { ...order, phone: '030' }],
    ['order-demo', 'PlaceOrder', placeOrderSchema, { ...order, lines: [] }],
    ['order-demo', 'PlaceOrder', placeOrderSchema, { ...order, coupon: 'x' }],
    ['canary-controller', 'CanarySpecInput', canarySpecSchema, canary],
    ['canary-controller', 'CanarySpecInput', canarySpecSchema, { ...canary, steps: [{ weight: 130 }] }],
    [
      'canary-controller',
      'CanarySpecInput',
      canarySpecSchema,
      { ...canary, stable: { deployment: 'A!', service: 'a' } },
    ],
  ])('%s %s', (service, component, schema, value) => {
    expect(validatorFor(service, component)(value)).toBe(schema.safeParse(value).success);
  });
});
