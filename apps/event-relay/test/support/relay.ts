import { Database } from '@keelson/persistence';
import { eventually, testDatabase, type TestDatabase } from '@keelson/testing';
import { Courier } from '../../src/delivery/courier.ts';
import { DeadLetters } from '../../src/delivery/dead-letters.ts';
import type { DeliveryMetrics } from '../../src/delivery/metrics.ts';
import { openCursors } from '../../src/delivery/sink-cursor.ts';
import { Sinks } from '../../src/delivery/sinks.ts';
import { aNewEntry } from '../../src/journal/entry.builder.ts';
import { Journal } from '../../src/journal/journal.ts';
import { journalMigrations } from '../../src/journal/migrations.ts';
import { parseRules, type SinkRule } from '../../src/rules/rules.ts';
import { makeSink } from '../../src/sinks/make-sink.ts';
import type { Sink } from '../../src/sinks/sink.ts';

export const clock = { now: () => new Date() };
export const log = { info: () => undefined, warn: () => undefined };
const metrics: DeliveryMetrics = { filtered() {}, delivered() {}, retried() {}, dead() {} };

/** The journal and the couriers of one test, without HTTP and sources. */
export class Relay {
  readonly database: Database;
  readonly journal: Journal;
  readonly deadLetters: DeadLetters;
  readonly #place: TestDatabase | undefined;
  readonly #couriers: Courier[] = [];

  private constructor(database: Database, place: TestDatabase | undefined) {
    this.database = database;
    this.#place = place;
    this.journal = new Journal(database);
    this.deadLetters = new DeadLetters(database);
  }

  /** On a database of the test's own, or on one that another replica uses already. */
  static async open(url?: string): Promise<Relay> {
    const place = url === undefined ? await testDatabase() : undefined;
    const database = await Database.open({
      url: url ?? place!.url,
      name: 'event-relay-test',
      migrations: journalMigrations,
      poolSize: 12,
      log: { ...log, error: () => undefined },
    });
    return new Relay(database, place);
  }

  get url(): string {
    return this.database.url;
  }

  /** Carries to a sink from the end of the journal on, as the service does at start. */
  async courier(rule: SinkRule, sink: Sink = makeSink(rule)): Promise<Courier> {
    const { database, journal } = this;
    const made = new Courier({ name: rule.name, match: rule.match, sink, database, journal, clock, metrics, log });
    this.#couriers.push(made);
    await openCursors(database, [rule.name], await journal.head());
    made.start();
    return made;
  }

  sinks(...couriers: readonly { courier: Courier; rule: SinkRule }[]): Sinks {
    const { database, journal, deadLetters } = this;
    return new Sinks({ database, journal, deadLetters, couriers });
  }

  append(messages: readonly string[]): Promise<number> {
    return this.journal.append(messages.map((message) => aNewEntry({ message })));
  }

  /** Sequence that a sink is through with. */
  async cursor(sink: string): Promise<number> {
    const rows = await this.database.query<{ cursor: string }>('SELECT cursor FROM sink_cursors WHERE sink = $1', [
      sink,
    ]);
    return Number(rows[0]?.cursor);
  }

  /** Resolves when the sink is through with the whole journal. */
  async through(sink: string): Promise<void> {
    await eventually(async () => (await this.cursor(sink)) === (await this.journal.head()), {
      describe: `sink ${sink} at the end of the journal`,
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.#couriers.map((courier) => courier.stop()));
    await this.database.close();
    await this.#place?.drop();
  }
}

/** One sink of a rules document. */
export const aRule = (yaml: string): SinkRule => parseRules(`sinks:\n  - ${yaml}`, 'rules.yaml').sinks[0]!;

export const hookRule = (url: string, name = 'hook', match = '{}'): SinkRule =>
  aRule(`{ name: ${name}, match: ${match}, webhook: { url: "${url}" } }`);

export const texts = (n: number): string[] => Array.from({ length: n }, (_, index) => `message ${index}`);
