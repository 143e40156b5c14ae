import type { MessageDefinition } from '@keelson/contracts';
import { Database } from '@keelson/persistence';
import { fixedClock, testDatabase, type TestDatabase } from '@keelson/testing';
import { randomUUID } from 'node:crypto';
import { outboxMigrations } from '../src/index.ts';
import { DEFER } from '../src/outbox/statements.ts';
import { sagaMigrations, Sagas, type SagaDefinition, viewOf } from '../src/saga/index.ts';
import { messages, trip, type Trip, tripWithoutCar } from './trip.ts';

describe('sagas on a real PostgreSQL', () => {
  let server: TestDatabase;
  let database: Database;
  const clock = fixedClock(new Date());
  const sagasOf = (...definitions: SagaDefinition<Trip>[]) =>
    new Sagas<Trip>({ definitions, now: () => clock.now(), log: { info() {}, warn() {}, error() {} } });
  const sagas = sagasOf(trip);

  beforeAll(async () => {
    server = await testDatabase();
    database = await Database.open({
      url: server.url,
      name: 'sagas',
      migrations: [...outboxMigrations, ...sagaMigrations],
      poolSize: 20,
    });
  });
  beforeEach(() => database.execute('truncate saga, outbox'));
  afterAll(async () => {
    await database?.close();
    await server?.drop();
  });

  const tell = (definition: MessageDefinition, key: string, by = sagas) =>
    database.transaction((tx) => by.handle(tx, { definition, payload: { trip: key } }));
  const sent = async (key: string) =>
    (
      await database.query<{ routing_key: string }>(
        'delete from outbox where aggregate = $1 returning id, routing_key',
        [key],
      )
    ).map((row) => row.routing_key);
  const begun = async (by = sagas) => {
    const key = randomUUID();
    await tell(messages.booked, key, by);
    return key;
  };
  const books = () => sagas.settle(database, { step: 'books', action: 'do' }, async () => undefined);

  test('state and messages are there together, or neither is', async () => {
    const key = randomUUID();
    const died = database.transaction(async (tx) => {
      await sagas.handle(tx, { definition: messages.booked, payload: { trip: key } });
      throw new Error('died here');
    });
    await expect(died).rejects.toThrow('died here');
    expect(await sagas.find(database, key)).toBeUndefined();
    expect(await sent(key)).toEqual([]);
    expect(await tell(messages.booked, key)).toBe('begun');
    expect(await sent(key)).toEqual(['trip.pay-requested.v1']);
  });

  test('reports of one saga at the same time are all counted, and the next stage is asked for once', async () => {
    const keys = await Promise.all(Array.from({ length: 20 }, () => begun()));
    await Promise.all(keys.map((key) => tell(messages.paid, key)));
    const reports = [messages.hotelReserved, messages.carReserved, messages.mailSent];
    await Promise.all(keys.flatMap((key) => [...reports, ...reports].map((message) => tell(message, key))));
    for (const key of keys) {
      expect(await sagas.find(database, key)).toMatchObject({ waitingFor: 'books/do' });
      expect((await sent(key)).sort()).toEqual(['trip.pay-requested.v1', 'trip.rooms-requested.v1']);
    }
    expect(await books()).toBe(20);
    for (const key of keys) expect(await sagas.find(database, key)).toMatchObject({ state: 'completed' });
  });

  test('started by several at once it begins once', async () => {
    const key = randomUUID();
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => tell(messages.booked, key)));
    expect(outcomes.filter((outcome) => outcome === 'begun')).toHaveLength(1);
    expect(await sent(key)).toHaveLength(1);
  });

  test('local work is shared among processes: each saga once, and rolled back it is due again', async () => {
    const keys = await Promise.all(Array.from({ length: 30 }, () => begun()));
    for (const message of [messages.paid, messages.hotelReserved, messages.carReserved, messages.mailSent]) {
      await Promise.all(keys.map((key) => tell(message, key)));
    }
    const worked: string[] = [];
    const failing = sagas.settle(database, { step: 'books', action: 'do' }, async () => {
      throw new Error('died here');
    });
    await expect(failing).rejects.toThrow('died here');
    const settle = () =>
      sagas.settle(database, { step: 'books', action: 'do', limit: 7 }, async (_tx, batch) => {
        worked.push(...batch.map(({ key }) => key));
      });
    for (let rounds = 0; worked.length < keys.length && rounds < 30; rounds += 1)
      await Promise.all([settle(), settle(), settle()]);
    expect(worked.sort()).toEqual(keys.sort());
  });

  test('time runs out in the database: swept by several, compensated once, and not while its message is unsent', async () => {
    const key = await begun();
    clock.advance(11_000);
    expect(await sagas.sweep(database)).toBe(0);
    // Set aside, since a queue was full: it is not sent either.
    const rows = await database.query<{ id: string }>('select id from outbox where aggregate = $1', [key]);
    const ids = rows.map(({ id }) => id);
    await database.execute(DEFER, [ids, ids.map(() => 1), ids.map(() => 1_000)]);
    expect(await sent(key)).toEqual([]);
    expect(await sagas.sweep(database)).toBe(0);
    await database.execute('delete from outbox_deferred where aggregate = $1', [key]);
    const swept = await Promise.all([sagas.sweep(database), sagas.sweep(database), sagas.sweep(database)]);
    expect(swept.reduce((sum, one) => sum + one)).toBe(1);
    expect(await sent(key)).toEqual(['trip.refund-requested.v1']);
    expect(await tell(messages.refunded, key)).toBe('moved');
    await sagas.settle(database, { step: 'seat', action: 'undo' }, async () => undefined);
    expect(await sagas.find(database, key)).toMatchObject({ state: 'compensated', reason: 'no payment within 10 s' });
    expect(await sent(key)).toEqual(['trip.compensated.v1']);
  });

  test('cancelled before its start is known, it does not begin later', async () => {
    const key = randomUUID();
    const cancel = () =>
      database.transaction((tx) => sagas.cancel(tx, key, { reason: 'by Ada', startWith: { traveller: 'Ada' } }));
    expect(await cancel()).toBe('begun');
    expect(await tell(messages.booked, key)).toBe('ignored');
    expect(await cancel()).toBe('ignored');
    await sagas.settle(database, { step: 'seat', action: 'undo' }, async () => undefined);
    expect(await cancel()).toBe('ended');
    expect(await sent(key)).toEqual(['trip.compensated.v1']);
  });

  test('a caller that does the steps itself asks nobody, and what it left undone is taken back at the deadline', async () => {
    const [whole, left] = [randomUUID(), randomUUID()];
    for (const key of [whole, left]) {
      const begin = () => database.transaction((tx) => sagas.beginOwn(tx, key, { traveller: 'Ada' }));
      expect([await begin(), await begin()]).toEqual([true, false]);
    }
    const done = (key: string, ...steps: string[]) =>
      database.transaction((tx) =>
        sagas.report(
          tx,
          key,
          steps.map((step) => ({ kind: 'done', step })),
        ),
      );
    expect(await done(whole, 'payment', 'hotel', 'car', 'mail', 'books')).toBe('moved');
    expect(await sagas.find(database, whole)).toMatchObject({ state: 'completed' });
    expect(await sent(whole)).toEqual(['trip.completed.v1']);
    expect(await done(whole, 'payment')).toBe('ended');
    await done(left, 'payment');
    expect(await sent(left)).toEqual([]);
    clock.advance(61_000);
    expect(await sagas.sweep(database)).toBe(1);
    expect(await sent(left)).toEqual(['trip.car-cancel-requested.v1']);
  });

  test('a report without its saga is ignored, parked or tried later, as the definition says', async () => {
    const step = trip.stages[1]!.steps[0]!;
    if (step.kind !== 'reported') throw new Error('payment is reported');
    const withPolicy = (whenUnknown: 'ignore' | 'park' | 'retry') =>
      sagasOf({
        ...trip,
        stages: [trip.stages[0]!, { ...trip.stages[1]!, steps: [{ ...step, done: { ...step.done, whenUnknown } }] }],
      });
    expect(await tell(messages.paid, randomUUID(), withPolicy('ignore'))).toBe('unknown');
    await expect(tell(messages.paid, randomUUID(), withPolicy('park'))).rejects.toMatchObject({
      name: 'NonRetryableError',
      code: 'unknown-saga',
    });
    await expect(tell(messages.paid, randomUUID(), withPolicy('retry'))).rejects.toMatchObject({
      name: 'RetryableError',
    });
    await expect(tell(messages.paid, '')).rejects.toMatchObject({ code: 'no-correlation' });
  });

  test('a running saga ends under the version it began with, new ones begin under the newest, side by side', async () => {
    const older = await begun();
    const both = sagasOf(trip, tripWithoutCar);
    const newer = await begun(both);
    for (const key of [older, newer]) {
      for (const message of [messages.paid, messages.hotelReserved, messages.mailSent]) await tell(message, key, both);
    }
    const old = await both.find(database, older);
    expect([old?.definitionVersion, old?.waitingFor]).toEqual([1, undefined]);
    expect(await both.find(database, newer)).toMatchObject({ definitionVersion: 2, waitingFor: 'books/do' });
    expect(await tell(messages.carReserved, newer, both)).toBe('ignored');
    expect(await tell(messages.carReserved, older, both)).toBe('moved');
    // An older program leaves it to a newer one.
    await expect(tell(messages.mailSent, newer)).rejects.toThrow('this program knows 1. A newer one will take it');
    expect(await both.settle(database, { step: 'books', action: 'do' }, async () => undefined)).toBe(2);
    for (const key of [older, newer]) expect(await both.find(database, key)).toMatchObject({ state: 'completed' });
  });

  test('shows each step with its times, and nothing of its data', async () => {
    const key = await begun();
    await tell(messages.paid, key);
    const saga = (await sagas.find(database, key))!;
    const view = viewOf(trip, saga);
    expect(view.stages.map(({ steps }) => steps.map(({ name, state }) => `${name} ${state}`))).toEqual([
      ['seat done'],
      ['payment done'],
      ['hotel begun', 'car begun', 'mail begun'],
      ['books waiting'],
    ]);
    expect(JSON.stringify(view)).not.toContain('Ada');
  });
});
