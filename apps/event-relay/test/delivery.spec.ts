import { Database } from '@keelson/persistence';
import { eventually, telegramStandIn, testDatabase, type TestDatabase, type TelegramStandIn } from '@keelson/testing';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Courier } from '../src/delivery/courier.ts';
import { Cursors } from '../src/delivery/cursors.ts';
import { DeadLetters } from '../src/delivery/dead-letters.ts';
import type { DeliveryMetrics } from '../src/delivery/metrics.ts';
import { Sinks } from '../src/delivery/sinks.ts';
import { aNewEntry } from '../src/journal/entry.builder.ts';
import { Journal } from '../src/journal/journal.ts';
import { JournalSchema1780000000000 } from '../src/journal/schema.migration.ts';
import { parseRules, type SinkRule } from '../src/rules/rules.ts';
import { makeSink } from '../src/sinks/make-sink.ts';

const clock = { now: () => new Date() };
const log = { info: () => undefined, warn: () => undefined };
const metrics: DeliveryMetrics = { filtered() {}, delivered() {}, retried() {}, dead() {} };

/** A receiver of webhooks whose answers the test chooses; it keeps what it accepted. */
class Receiver {
  readonly got: { id: string; data: { message: string } }[] = [];
  answer: (message: string) => number = () => 200;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<Receiver> {
    const receiver = new Receiver(
      createServer((request, response) => {
        let body = '';
        request.on('data', (chunk) => (body += chunk));
        request.on('end', () => {
          const event = JSON.parse(body) as Receiver['got'][number];
          const status = receiver.answer(event.data.message);
          if (status < 300) receiver.got.push(event);
          response.writeHead(status, status === 429 ? { 'retry-after': '0' } : {}).end();
        });
      }),
    );
    await new Promise<void>((resolve) => receiver.#server.listen(0, '127.0.0.1', resolve));
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/hook`;
  }

  get messages(): string[] {
    return this.got.map((event) => event.data.message);
  }

  stop(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}

let place: TestDatabase;
let database: Database;
let journal: Journal;
let receiver: Receiver;
let telegram: TelegramStandIn;
const couriers: Courier[] = [];

beforeEach(async () => {
  place = await testDatabase();
  database = await Database.open({
    url: place.url,
    name: 'event-relay-test',
    migrations: [JournalSchema1780000000000],
    poolSize: 8,
  });
  journal = new Journal(database, clock);
  receiver = await Receiver.start();
  telegram = await telegramStandIn();
});

afterEach(async () => {
  await Promise.all(couriers.splice(0).map((courier) => courier.stop()));
  await Promise.all([receiver.stop(), telegram.stop(), database.close()]);
  await place.drop();
});

const hookRule = (name = 'hook', match = '{}'): SinkRule =>
  parseRules(`sinks: [{ name: ${name}, match: ${match}, webhook: { url: "${receiver.url}" } }]`, 'rules').sinks[0]!;

function courier(rule: SinkRule): Courier {
  const made = new Courier({
    name: rule.name,
    match: rule.match,
    sink: makeSink(rule),
    database,
    journal,
    cursors: new Cursors(database),
    clock,
    metrics,
    log,
  });
  couriers.push(made);
  made.start();
  return made;
}

async function begun(rule: SinkRule): Promise<Courier> {
  const made = courier(rule);
  await eventually(
    async () => (await database.query('SELECT 1 FROM sink_cursors WHERE sink = $1', [rule.name])).length === 1,
  );
  return made;
}

const texts = (n: number) => Array.from({ length: n }, (_, index) => `message ${index}`);
const append = (messages: readonly string[]) => journal.append(messages.map((message) => aNewEntry({ message })));

test('delivers every event once and in order', async () => {
  await begun(hookRule());
  await append(texts(50));
  await eventually(() => receiver.got.length === 50);
  expect(receiver.messages).toEqual(texts(50));
});

test('an event that is read twice is stored once', async () => {
  const entry = aNewEntry();
  expect(await journal.append([entry, entry])).toBe(1);
  expect(await journal.append([entry])).toBe(0);
  expect(await journal.head()).toBe(1);
});

test('the growth of a count is told, and a count that fell began anew', async () => {
  const seen = (count: number) => aNewEntry({ count, seriesKey: 's-1' });
  for (const count of [1, 4, 9, 2]) await journal.append([seen(count)]);
  expect((await journal.after(0, 10)).map((entry) => entry.delta)).toEqual([1, 3, 5, 2]);
});

test('a sink that says "later" gets the same event again, and those behind it wait in order', async () => {
  let refusals = 3;
  receiver.answer = (message) => (message === 'message 2' && refusals-- > 0 ? 429 : 200);
  await begun(hookRule());
  await append(texts(5));
  await eventually(() => receiver.got.length === 5);
  expect(receiver.messages).toEqual(texts(5));
});

test('an event that a sink will never take becomes a dead letter, and the rest goes on', async () => {
  receiver.answer = (message) => (message === 'message 1' ? 400 : 200);
  const made = await begun(hookRule());
  await append(texts(3));
  await eventually(() => receiver.got.length === 2);
  const deadLetters = new DeadLetters(database);
  const [letter] = await eventually(async () => {
    const found = await deadLetters.list({ limit: 10 });
    return found.length === 1 ? found : undefined;
  });
  expect(letter).toMatchObject({ sink: 'hook', reason: 'HTTP 400', event: { message: 'message 1' } });

  const sinks = new Sinks({ database, journal, deadLetters, couriers: [{ courier: made, rule: hookRule() }], clock });
  expect(await sinks.redrive(letter!.id)).toEqual({ outcome: 'rejected', reason: 'HTTP 400' });
  receiver.answer = () => 200;
  expect(await sinks.redrive(letter!.id)).toEqual({ outcome: 'delivered' });
  expect(receiver.messages).toEqual(['message 0', 'message 2', 'message 1']);
  expect(await deadLetters.list({ limit: 10 })).toEqual([]);
});

test('a dead sink delays nobody else', async () => {
  const dead = parseRules('sinks: [{ name: dead, webhook: { url: "http://127.0.0.1:9/none" } }]', 'rules').sinks[0]!;
  const hurt = await begun(dead);
  await begun(hookRule());
  await append(texts(5));
  await eventually(() => receiver.got.length === 5);
  await eventually(() => hurt.state.kind === 'retrying');
});

test('goes on behind the last delivery after a restart', async () => {
  const first = await begun(hookRule());
  await append(texts(3));
  await eventually(() => receiver.got.length === 3);
  await first.stop();
  await append(['while away']);
  courier(hookRule());
  await eventually(() => receiver.got.length === 4);
  expect(receiver.messages).toEqual([...texts(3), 'while away']);
});

test('of two replicas one delivers', async () => {
  await begun(hookRule());
  courier(hookRule());
  await append(texts(20));
  await eventually(() => receiver.got.length >= 20);
  expect(receiver.messages).toEqual(texts(20));
});

test('a replay delivers the range again, and says beforehand how many that is', async () => {
  const rule = hookRule();
  const made = await begun(rule);
  await append(texts(4));
  await eventually(() => receiver.got.length === 4);
  const sinks = new Sinks({
    database,
    journal,
    deadLetters: new DeadLetters(database),
    couriers: [{ courier: made, rule }],
    clock,
  });
  const range = { since: '2026-03-01T00:00:00Z', until: undefined };
  expect(await sinks.replay('hook', { ...range, dryRun: true })).toBe(4);
  expect(await sinks.replay('hook', { ...range, dryRun: false })).toBe(4);
  await eventually(() => receiver.got.length === 8);
  expect(receiver.messages).toEqual([...texts(4), ...texts(4)]);
});

test('Telegram gets every event in MarkdownV2 that it can parse, and its retry_after is obeyed', async () => {
  const rule = parseRules(
    `sinks: [{ name: group, match: { types: [Warning] }, telegram: { apiUrl: "${telegram.url}", token: "${telegram.token}", chatId: "${telegram.chats[0]!.id}", paceMs: 0 } }]`,
    'rules',
  ).sinks[0]!;
  telegram.failNext({ kind: 'too-many-requests', retryAfterSeconds: 1 });
  await begun(rule);
  await journal.append([
    aNewEntry({ message: 'all of _*[]()~`>#+-=|{}.! and \\ in one' }),
    aNewEntry({ type: 'Normal', message: 'not for the group' }),
    aNewEntry({ message: 'x'.repeat(20_000) }),
  ]);
  await eventually(() => telegram.messages.length === 2, { withinMs: 10_000 });
  expect(telegram.messages[0]!.text).toContain('all of _*[]()~`>#+-=|{}.! and \\ in one');
  expect(telegram.duplicates()).toEqual([]);
  expect(telegram.calls.filter((call) => call.status !== 200).map((call) => call.status)).toEqual([429]);
});

test('a wrong Telegram token loses nothing and never stands in an error', async () => {
  const rule = parseRules(
    `sinks: [{ name: group, telegram: { apiUrl: "${telegram.url}", token: "1:secret-token", chatId: "1", paceMs: 0 } }]`,
    'rules',
  ).sinks[0]!;
  const made = await begun(rule);
  await append(['wait for me']);
  const state = await eventually(() => (made.state.kind === 'retrying' ? made.state : undefined));
  expect(state.reason).toContain('check token and chat');
  expect(state.reason).not.toContain('secret-token');
  expect(await new DeadLetters(database).list({ limit: 1 })).toEqual([]);
});
