import { defineMessage } from '@keelson/contracts';
import { eventually } from '@keelson/testing';
import { z } from 'zod';
import { Messaging, parkingLot } from '../src/index.ts';
import { memoryLog, Workbench } from './service.ts';

const about = { name: 'test.priced', producer: 'test', summary: 'A price was set' } as const;
const priced1 = defineMessage({ ...about, version: 1, schema: z.object({ euros: z.number() }) });
const priced2 = defineMessage({
  ...about,
  version: 2,
  schema: z.object({ cents: z.number().int() }),
  upcast: { from: priced1, lift: ({ euros }) => ({ cents: Math.round(euros * 100) }) },
});
const priced3 = defineMessage({
  ...about,
  version: 3,
  schema: z.object({ cents: z.number().int().positive(), currency: z.string().default('EUR') }),
  upcast: {
    from: priced2,
    lift: ({ cents }) => {
      if (cents === 13) throw new Error('unlucky');
      return { cents };
    },
  },
});
const catalogue = Object.fromEntries([priced1, priced2, priced3].map((message) => [message.routingKey, message]));

describe('a subscription to the newest version of a message', () => {
  let bench: Workbench;
  let messaging: Messaging;
  let serial = 0;
  beforeAll(async () => (bench = await Workbench.open()));
  beforeEach(async () => {
    messaging = await Messaging.connect({
      url: bench.vhost.amqpUrl,
      service: 'test',
      catalogue,
      exchange: `upcast-${(serial += 1)}`,
      log: memoryLog(),
    });
  });
  afterEach(() => messaging.close(500));
  afterAll(() => bench.close());

  test('gets older ones lifted, step by step, with the defaults of the newest', async () => {
    const seen: unknown[] = [];
    await messaging.subscribe({
      queue: 'upcast.all',
      messages: [priced3],
      handler: async ({ version, type, routingKey, payload }) => void seen.push({ version, type, routingKey, payload }),
    });
    await messaging.publish(priced1, { euros: 1.5 });
    await messaging.publish(priced2, { cents: 7 });
    await messaging.publish(priced3, { cents: 8, currency: 'CHF' });
    await messaging.settled();
    expect(seen).toHaveLength(3);
    expect(seen).toEqual(
      expect.arrayContaining([
        {
          version: 3,
          type: 'dev.keelson.test.priced.v1',
          routingKey: 'test.priced.v1',
          payload: { cents: 150, currency: 'EUR' },
        },
        {
          version: 3,
          type: 'dev.keelson.test.priced.v2',
          routingKey: 'test.priced.v2',
          payload: { cents: 7, currency: 'EUR' },
        },
        {
          version: 3,
          type: 'dev.keelson.test.priced.v3',
          routingKey: 'test.priced.v3',
          payload: { cents: 8, currency: 'CHF' },
        },
      ]),
    );
  });

  test('next to an older one gets only what the older one does not', async () => {
    const seen: string[] = [];
    await messaging.subscribe({
      queue: 'upcast.beside',
      messages: [priced1, priced3],
      handler: async (message) => {
        // The version narrows the payload.
        if (message.version === 1) seen.push(`v1 ${message.payload.euros}`);
        else seen.push(`v3 ${message.payload.cents} ${message.payload.currency}`);
      },
    });
    await messaging.publish(priced1, { euros: 2 });
    await messaging.publish(priced2, { cents: 3 });
    await messaging.settled();
    expect(seen.sort()).toEqual(['v1 2', 'v3 3 EUR']);
  });

  test.each([
    {
      name: 'whose lift throws',
      publish: { cents: 13 },
      reason: 'lifted from dev.keelson.test.priced.v2 to dev.keelson.test.priced.v3: unlucky',
    },
    { name: 'that does not fit when lifted', publish: { cents: -1 }, reason: /lifted from .*: cents: Too small/ },
  ])('parks one $name', async ({ publish, reason }) => {
    const queue = `upcast.fault-${serial}`;
    await messaging.subscribe({ queue, messages: [priced3], handler: async () => undefined });
    await messaging.publish(priced2, publish);
    const [parked] = await eventually(async () => {
      const found = await parkingLot.list(messaging, queue);
      return found.length > 0 && found;
    });
    expect(parked).toMatchObject({
      code: 'invalid-payload',
      reason: typeof reason === 'string' ? reason : expect.stringMatching(reason),
    });
  });
});

describe('a definition that lifts', () => {
  test.each([
    { name: 'another message', from: { ...priced1, name: 'test.other', routingKey: 'test.other.v1' }, version: 2 },
    { name: 'a version that is not older', from: priced2, version: 2 },
  ])('from $name is refused', ({ from, version }) => {
    const define = () =>
      defineMessage({
        ...about,
        version,
        schema: priced2.schema,
        upcast: { from: from as typeof priced2, lift: (payload) => payload },
      });
    expect(define).toThrow(`upcast.from is ${from.routingKey}; it has to be an older version of test.priced`);
  });
});
