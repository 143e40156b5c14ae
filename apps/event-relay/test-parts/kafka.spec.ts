import { eventually, startKafka, type Kafka as Broker } from '@keelson/testing';
import { Kafka, logLevel, type Consumer } from 'kafkajs';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { aNewEntry } from '../src/journal/entry.builder.ts';
import { normalise, type KubernetesEvent } from '../src/kubernetes/normalise.ts';
import { aRule, Relay } from '../test/support/relay.ts';

interface Received {
  readonly key: string | undefined;
  readonly value: string;
  readonly id: string | undefined;
}

let broker: Broker;
let relay: Relay;
const consumers: Consumer[] = [];

beforeAll(async () => {
  broker = await startKafka();
}, 600_000);
afterAll(() => broker.stop());

beforeEach(async () => {
  relay = await Relay.open();
});
afterEach(async () => {
  await relay.close();
  await Promise.all(consumers.splice(0).map((consumer) => consumer.disconnect()));
});

/**
 * Reads a topic from its beginning, as the consumers of kube-eventer's messages do, until so many different ones came.
 * A slow broker gets a batch twice, which the guarantee allows; consumers tell by the id.
 */
async function read(topic: string, count: number): Promise<Received[]> {
  const kafka = new Kafka({ brokers: broker.brokers, clientId: 'test', logLevel: logLevel.NOTHING });
  const consumer = kafka.consumer({ groupId: `test-${topic}`, maxWaitTimeInMs: 100, sessionTimeout: 10_000 });
  consumers.push(consumer);
  let crash = '';
  consumer.on(
    consumer.events.CRASH,
    ({ payload }) => void (crash = `; the consumer crashed: ${payload.error.message}`),
  );
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  const received: Received[] = [];
  await consumer.run({
    eachMessage: async ({ message }) =>
      void received.push({
        key: message.key?.toString(),
        value: message.value!.toString(),
        id: message.headers?.['keelson-event-id']?.toString(),
      }),
  });
  const different = () => new Map(received.map((one) => [one.id, one]));
  await eventually(
    () => {
      const { size } = different();
      if (size < count) throw new Error(`${size} of ${count} came${crash}`);
      return true;
    },
    { withinMs: 120_000, describe: `${count} messages in topic ${topic}` },
  );
  return [...different().values()];
}

const kafkaRule = (topic: string) =>
  aRule(`{ name: kafka, kafka: { brokers: ["${broker.brokers[0]}"], topic: ${topic} } }`);

const onPod = (name: string, message: string) =>
  aNewEntry({ source: 'platform', message, object: { kind: 'Pod', namespace: 'shop', name } });
const messageOf = ({ value }: Received): string =>
  (JSON.parse((JSON.parse(value) as { EventValue: string }).EventValue) as { message: string }).message;

test('the messages are kube-eventer’s, byte for byte', async () => {
  const folder = join(import.meta.dirname, '../test/kube-eventer');
  const events = JSON.parse(readFileSync(join(folder, 'events.json'), 'utf8')) as KubernetesEvent[];
  const expected = JSON.parse(readFileSync(join(folder, 'messages.json'), 'utf8')) as string[];
  await relay.courier(kafkaRule('bytes'));
  await relay.journal.append(
    events.map((event, index) => ({ ...normalise(event, 'c', new Date()), dedupeKey: `e/${index}` })),
  );
  await relay.through('kafka');
  const received = await read('bytes', expected.length);
  expect(received.map(({ value }) => value).toSorted(byText)).toEqual(expected.toSorted(byText));
  const ids = (await relay.journal.after(0, 100)).map(({ id }) => id);
  expect(new Set(received.map(({ id }) => id))).toEqual(new Set(ids));
});

test('while the broker is dead nothing is lost, and each object’s events stay in order', async () => {
  const pods = ['a', 'b', 'c', 'd'];
  const texts = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => `${from + n}`);
  const append = (numbers: readonly string[]) =>
    relay.journal.append(numbers.flatMap((n) => pods.map((pod) => onPod(pod, n))));
  const courier = await relay.courier(kafkaRule('outage'));
  await append(texts(0, 50));
  await relay.through('kafka');
  broker.kill('SIGKILL');
  await append(texts(50, 100));
  await eventually(() => courier.state.kind === 'retrying');
  await broker.restart();
  await append(texts(100, 150));
  await eventually(async () => (await relay.cursor('kafka')) === (await relay.journal.head()), {
    withinMs: 120_000,
    describe: 'the sink at the end of the journal',
  });
  const received = await read('outage', 600);
  for (const pod of pods) {
    const seen = received.filter(({ key }) => key === `shop/Pod/${pod}`).map(messageOf);
    expect(seen).toEqual(texts(0, 150));
  }
}, 240_000);

test('what is too large for the broker becomes a dead letter, what is only too large together is sent apart', async () => {
  await relay.courier(kafkaRule('large'));
  const large = 'x'.repeat(9_000);
  // One key, so that all go into one batch of one partition: 200 times 9 kB is above Kafka's limit.
  await relay.journal.append([
    ...Array.from({ length: 200 }, (_, n) => onPod('a', `${n} ${large}`)),
    onPod('a', 'x'.repeat(1_200_000)),
    onPod('a', 'after'),
  ]);
  await eventually(async () => (await relay.cursor('kafka')) === 202, { withinMs: 60_000 });
  expect(await relay.deadLetters.list({ limit: 10 })).toMatchObject([
    { sequence: 201, reason: expect.stringContaining('too large for Kafka') },
  ]);
  const received = await read('large', 201);
  expect(received.map(messageOf).map((text) => text.split(' ')[0])).toEqual([
    ...Array.from({ length: 200 }, (_, n) => `${n}`),
    'after',
  ]);
});

function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
