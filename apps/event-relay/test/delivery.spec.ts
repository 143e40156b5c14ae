import { eventually } from '@keelson/testing';
import type { Courier } from '../src/delivery/courier.ts';
import { aNewEntry } from '../src/journal/entry.builder.ts';
import type { JournalEntry } from '../src/journal/entry.ts';
import { DELIVERED, type Outcome, type Sink } from '../src/sinks/sink.ts';
import { Receiver } from './support/receiver.ts';
import { aRule, hookRule, Relay, texts } from './support/relay.ts';

let relay: Relay;
let receiver: Receiver;

beforeEach(async () => {
  [relay, receiver] = await Promise.all([Relay.open(), Receiver.start()]);
});

afterEach(async () => {
  receiver.release();
  await relay.close();
  await receiver.stop();
});

/** The backend that holds the lock of the sink, as an administrator finds it. */
const holders = () =>
  relay.database.query<{ pid: number }>(
    `SELECT l.pid FROM pg_locks l JOIN pg_database d ON d.oid = l.database
      WHERE l.locktype = 'advisory' AND d.datname = current_database() AND l.pid <> pg_backend_pid()`,
  );

test('delivers every event once and in order', async () => {
  await relay.courier(hookRule(receiver.url));
  await relay.append(texts(50));
  await relay.through('hook');
  expect(receiver.messages).toEqual(texts(50));
});

test('a sink that says "later" gets the same event again, and those behind it wait in order', async () => {
  let refusals = 3;
  receiver.answer = (message) => (message === 'message 2' && refusals-- > 0 ? 429 : 200);
  await relay.courier(hookRule(receiver.url));
  await relay.append(texts(5));
  await relay.through('hook');
  expect(receiver.messages).toEqual(texts(5));
});

test('what a sink is not meant to get is passed over, and the cursor moves all the same', async () => {
  await relay.courier(hookRule(receiver.url, 'hook', '{ reasons: [Wanted] }'));
  await relay.journal.append([
    aNewEntry({ message: 'no' }),
    aNewEntry({ message: 'yes', reason: 'Wanted' }),
    aNewEntry({ message: 'no' }),
  ]);
  await relay.through('hook');
  expect(receiver.messages).toEqual(['yes']);
});

test('a new sink gets what comes from its start on, also before its courier has begun', async () => {
  await relay.append(['the past']);
  await relay.courier(hookRule(receiver.url));
  await relay.append(['the future']);
  await relay.through('hook');
  expect(receiver.messages).toEqual(['the future']);
});

test('a dead sink delays nobody else, and every replica can tell why it is behind', async () => {
  const dead = hookRule('http://127.0.0.1:9/none', 'dead');
  const hurt = await relay.courier(dead);
  await relay.courier(hookRule(receiver.url));
  await relay.append(texts(5));
  await relay.through('hook');
  const replica = await Relay.open(relay.url);
  const standby = await replica.courier(dead);
  const [seen] = await eventually(async () => {
    const list = await replica.sinks({ courier: standby, rule: dead }).list();
    return list[0]!.state === 'retrying' ? list : undefined;
  });
  expect(seen).toMatchObject({ lagEvents: 5, lastError: expect.stringContaining('ECONNREFUSED') });
  expect(hurt.state.kind).toBe('retrying');
  await replica.close();
});

describe('a refusal for good', () => {
  let made: Courier;
  beforeEach(async () => {
    receiver.answer = (message) => (message === 'message 1' ? 400 : 200);
    receiver.refusal = { headers: {}, body: 'no such field' };
    made = await relay.courier(hookRule(receiver.url));
    await relay.append(texts(3));
    await relay.through('hook');
  });

  const sinks = () => relay.sinks({ courier: made, rule: hookRule(receiver.url) });

  test('makes a dead letter of the event, and the rest goes on', async () => {
    expect(receiver.messages).toEqual(['message 0', 'message 2']);
    const letters = await relay.deadLetters.list({ limit: 10 });
    expect(letters).toMatchObject([
      { sink: 'hook', reason: 'HTTP 400: no such field', attempts: 1, event: { message: 'message 1' } },
    ]);
    const { id } = letters[0]!;
    expect(await sinks().redrive(id)).toEqual({ outcome: 'rejected', reason: 'HTTP 400: no such field' });
    expect(await relay.deadLetters.find(id)).toMatchObject({ attempts: 2 });
    receiver.answer = () => 200;
    expect(await sinks().redrive(id)).toEqual({ outcome: 'delivered' });
    expect(receiver.messages).toEqual(['message 0', 'message 2', 'message 1']);
    expect(await relay.deadLetters.list({ limit: 10 })).toEqual([]);
    expect(await sinks().redrive(id)).toBeUndefined();
  });

  test('is tried again once, however many people ask at the same time', async () => {
    const [letter] = await relay.deadLetters.list({ limit: 1 });
    receiver.answer = () => 'hang';
    const asked = [sinks().redrive(letter!.id), sinks().redrive(letter!.id)];
    await eventually(() => receiver.hanging > 0);
    const first = await Promise.race(asked);
    expect(first).toEqual({ outcome: 'retry', reason: expect.stringContaining('being tried already') });
    receiver.release();
    const outcomes = (await Promise.all(asked)).map((done) => done?.outcome);
    expect(new Set(outcomes)).toEqual(new Set(['delivered', 'retry']));
    expect(receiver.messages.filter((message) => message === 'message 1')).toHaveLength(1);
  });

  test('is forgotten when a replay delivers the event after all', async () => {
    receiver.answer = () => 200;
    await sinks().replay('hook', { since: '2026-03-01T00:00:00Z', until: undefined, dryRun: false });
    await eventually(() => receiver.got.length === 5);
    await eventually(async () => (await relay.deadLetters.list({ limit: 10 })).length === 0);
  });
});

test('a replay delivers what was last seen in that time and matches, and says beforehand how many that is', async () => {
  const rule = hookRule(receiver.url, 'hook', '{ excludeReasons: [Boring] }');
  const courier = await relay.courier(rule);
  const at = (minute: number, message: string, reason = 'BackOff') =>
    aNewEntry({ message, reason, lastSeen: `2026-03-01T12:0${minute}:00.000Z` });
  // An old observation that came late must not drag along what stands between.
  await relay.journal.append([at(1, 'in'), at(5, 'out'), at(2, 'boring', 'Boring'), at(2, 'late')]);
  await relay.through('hook');
  const sinks = relay.sinks({ courier, rule });
  const range = { since: '2026-03-01T12:00:00Z', until: '2026-03-01T12:03:00Z' };
  expect(await sinks.replay('hook', { ...range, dryRun: true })).toBe(2);
  expect(await sinks.replay('hook', { ...range, dryRun: false })).toBe(2);
  await relay.append(['after']);
  await eventually(() => receiver.got.length === 6);
  expect(receiver.messages.slice(3).toSorted()).toEqual(['after', 'in', 'late']);
  await eventually(async () => (await relay.database.query('SELECT 1 FROM replays')).length === 0);
  expect(await sinks.list()).toMatchObject([{ delivered: 6, lagEvents: 0, state: 'delivering' }]);
});

describe('after a stop', () => {
  test('goes on behind the last delivery', async () => {
    const first = await relay.courier(hookRule(receiver.url));
    await relay.append(texts(3));
    await relay.through('hook');
    await first.stop();
    await relay.append(['while away']);
    await relay.courier(hookRule(receiver.url));
    await relay.through('hook');
    expect(receiver.messages).toEqual([...texts(3), 'while away']);
  });

  test('the delivery in hand has ended and is not repeated', async () => {
    receiver.answer = () => 'hang';
    const first = await relay.courier(hookRule(receiver.url));
    await relay.append(['in hand', 'next']);
    await eventually(() => receiver.hanging === 1);
    const stopped = first.stop();
    receiver.answer = () => 200;
    receiver.release();
    await stopped;
    expect(await relay.cursor('hook')).toBe(1);
    await relay.courier(hookRule(receiver.url));
    await relay.through('hook');
    expect(receiver.messages).toEqual(['in hand', 'next']);
  });
});

describe('of two replicas', () => {
  let other: Relay;
  beforeEach(async () => {
    other = await Relay.open(relay.url);
  });
  afterEach(() => other.close());

  test('one delivers', async () => {
    await relay.courier(hookRule(receiver.url));
    await other.courier(hookRule(receiver.url));
    await Promise.all([relay.append(texts(20)), other.append(texts(20))]);
    await relay.through('hook');
    expect(receiver.got).toHaveLength(40);
    expect(new Set(receiver.got.map(({ id }) => id)).size).toBe(40);
  });

  test('the one whose connection with the lock is ended stops, and the other goes on; nothing comes twice', async () => {
    await relay.courier(hookRule(receiver.url));
    await relay.append(['first']);
    await relay.through('hook');
    await other.courier(hookRule(receiver.url));
    for (let round = 0; round < 3; round += 1) {
      const [holder] = await eventually(async () => {
        const found = await holders();
        return found.length === 1 ? found : undefined;
      });
      await relay.database.query('SELECT pg_terminate_backend($1)', [holder!.pid]);
      await relay.append([`round ${round}`]);
      await relay.through('hook');
    }
    expect(receiver.messages).toEqual(['first', 'round 0', 'round 1', 'round 2']);
  });

  test('one that lost the lock while its sink was slow cannot move the cursor', async () => {
    receiver.answer = () => 'hang';
    await relay.courier(hookRule(receiver.url));
    await relay.append(['slow', 'behind']);
    await eventually(() => receiver.hanging === 1);
    const [holder] = await holders();
    await relay.database.query('SELECT pg_terminate_backend($1)', [holder!.pid]);
    expect(await relay.cursor('hook')).toBe(0);
    receiver.answer = () => 200;
    receiver.release();
    await relay.through('hook');
    // It knows that the slow one arrived, though it could not write it down at the time.
    expect(receiver.messages).toEqual(['slow', 'behind']);
  });
});

describe('a batch', () => {
  /** Takes batches of four; what becomes of each message the test says. */
  class BatchSink implements Sink {
    readonly kind = 'stdout';
    readonly batchSize = 4;
    readonly got: string[] = [];
    readonly outcome: (message: string) => Outcome;

    constructor(outcome: (message: string) => Outcome) {
      this.outcome = outcome;
    }

    async deliver(entries: readonly JournalEntry[]): Promise<readonly Outcome[]> {
      const outcomes: Outcome[] = [];
      for (const { message } of entries) {
        const outcome = this.outcome(message);
        outcomes.push(outcome);
        if (outcome.kind !== 'delivered') break;
        this.got.push(message);
      }
      return outcomes;
    }

    async close(): Promise<void> {}
  }

  const rule = aRule('{ name: batches, stdout: {} }');

  test('that ends with a refusal or a retry in the middle loses and doubles nothing', async () => {
    let later = 2;
    const sink = new BatchSink((message) => {
      if (message === 'message 3') return { kind: 'rejected', reason: 'never' };
      if (message === 'message 5' && later-- > 0) return { kind: 'retry', afterMs: 1, reason: 'later' };
      return DELIVERED;
    });
    await relay.courier(rule, sink);
    await relay.append(texts(10));
    await relay.through('batches');
    expect(sink.got).toEqual(texts(10).filter((text) => text !== 'message 3'));
    expect(await relay.deadLetters.list({ limit: 10 })).toMatchObject([{ sequence: 4, attempts: 1 }]);
  });

  test('whose sink throws, or gives no answer at all, is tried again', async () => {
    let calls = 0;
    const sink = new BatchSink(() => DELIVERED);
    const deliver = sink.deliver.bind(sink);
    sink.deliver = async (entries) => {
      calls += 1;
      if (calls === 1) throw new Error('broken');
      return calls === 2 ? [] : deliver(entries);
    };
    await relay.courier(rule, sink);
    await relay.append(texts(2));
    await relay.through('batches');
    expect(sink.got).toEqual(texts(2));
  });
});
