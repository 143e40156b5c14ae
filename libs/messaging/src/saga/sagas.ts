import type { MessageDefinition } from '@keelson/contracts';
import { type Database, type Log, stderrLog, type Tx } from '@keelson/persistence';
import { NonRetryableError, RetryableError } from '../consume/failure.ts';
import type { MetricsPort } from '../observe/port.ts';
import type { OutboxEntry } from '../outbox/outbox.ts';
import { begin, beginCancelled, decide, type Decision, type SagaEffect, type SagaInput } from './decide.ts';
import { type Report, reportsOf, type SagaDefinition, type Send, stepsOf } from './definition.ts';
import type { SagaSnapshot } from './snapshot.ts';
import { claimDue, claimWaiting, readSaga, type SagaChange, writeSagas } from './store.ts';

export interface SagasOptions<Data> {
  /** Every version that may still be running; new sagas begin under the highest. */
  readonly definitions: readonly SagaDefinition<Data>[];
  now(): Date;
  /** Called after the commit of each change; what it throws is logged. */
  onChange?(saga: SagaSnapshot<Data>): void;
  readonly metrics?: MetricsPort;
  readonly log?: Log;
}

/** What became of a message or a cancellation. `ended`: the saga had ended before. */
export type SagaOutcome = 'begun' | 'moved' | 'ignored' | 'ended' | 'unknown';

/** Collisions of one saga in a row before the message is given back: far above what its own steps can cause. */
const MAX_COLLISIONS = 20;

/** Runs the sagas of one name: reads the state, lets {@link decide} say what follows, writes state and messages. */
export class Sagas<Data> {
  readonly name: string;
  /** All that any version listens to: subscribe to these. */
  readonly messages: readonly MessageDefinition[];
  readonly #options: SagasOptions<Data>;
  readonly #log: Log;
  readonly #newest: SagaDefinition<Data>;
  readonly #byVersion: ReadonlyMap<number, SagaDefinition<Data>>;
  readonly #ended;
  readonly #took;
  readonly #collisions;

  constructor(options: SagasOptions<Data>) {
    const newest = options.definitions.toSorted((one, other) => other.version - one.version)[0];
    if (newest === undefined) throw new TypeError('Sagas needs a definition');
    const stranger = options.definitions.find(({ name }) => name !== newest.name);
    if (stranger) throw new TypeError(`Sagas holds versions of one saga; ${stranger.name} is not ${newest.name}`);
    this.#options = options;
    this.#log = options.log ?? stderrLog;
    this.#newest = newest;
    this.#byVersion = new Map(options.definitions.map((definition) => [definition.version, definition]));
    if (this.#byVersion.size < options.definitions.length) {
      throw new TypeError(`two definitions of saga ${newest.name} have the same version`);
    }
    this.name = newest.name;
    this.messages = [
      ...new Set(
        options.definitions.flatMap((definition) => [
          definition.start.message,
          ...reportsOf(definition).map(({ report }) => report.message),
        ]),
      ),
    ];
    const labelNames = ['saga', 'outcome'];
    this.#ended = options.metrics?.counter({
      name: 'keelson_saga_ended_total',
      help: 'Sagas by how they ended',
      labelNames,
    });
    this.#took = options.metrics?.histogram({
      name: 'keelson_saga_seconds',
      help: 'Time from start to end of a saga',
      labelNames,
      buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300],
    });
    this.#collisions = options.metrics?.counter({
      name: 'keelson_saga_collisions_total',
      help: 'Changes of a saga that were decided again because another came first',
      labelNames: ['saga'],
    });
  }

  /** The definition that new sagas begin under. */
  get newest(): SagaDefinition<Data> {
    return this.#newest;
  }

  /** The definition that a saga runs under; undefined where this program does not know it. */
  definitionOf({ definitionVersion }: { definitionVersion: number }): SagaDefinition<Data> | undefined {
    return this.#byVersion.get(definitionVersion);
  }

  find(from: Pick<Tx | Database, 'query'>, key: string): Promise<SagaSnapshot<Data> | undefined> {
    return readSaga<Data>(from, this.name, key);
  }

  /**
   * Takes one message into its saga, in the transaction of the handler. Throws RetryableError or NonRetryableError, as
   * the definition says, where there is no such saga, and RetryableError where it runs under a version that only a
   * newer program knows.
   */
  async handle(
    tx: Tx,
    { definition: message, payload }: { definition: MessageDefinition; payload: unknown },
  ): Promise<SagaOutcome> {
    if (message.routingKey === this.#newest.start.message.routingKey) {
      const { start } = this.#newest;
      const key = start.key(payload);
      return this.#begin(tx, begin(this.#newest, { key, data: start.data(payload), now: this.#options.now() }));
    }
    const key = this.#correlate(message, payload);
    return this.#change(tx, key, {
      input: (definition) => inputOf(definition, message, payload),
      unknown: () => unknownSaga(this.name, key, message, this.#reports(message)[0]!),
    });
  }

  /** Begins compensation, where it has not ended. `startWith`: where there is no saga yet, so that it will not begin later. */
  async cancel(tx: Tx, key: string, { reason, startWith }: { reason: string; startWith?: Data }): Promise<SagaOutcome> {
    if (startWith !== undefined && (await this.find(tx, key)) === undefined) {
      const beginning = { key, data: startWith, reason, now: this.#options.now() };
      if ((await this.#begin(tx, beginCancelled(this.#newest, beginning))) === 'begun') return 'begun';
    }
    return this.#change(tx, key, { input: () => ({ kind: 'cancel', reason }), unknown: () => 'unknown' });
  }

  /**
   * Begins a saga whose steps the caller does itself and reports by {@link report}: nobody is asked for anything. Should
   * the caller die meanwhile, the deadline takes back what it did. False where there is one already.
   */
  async beginOwn(tx: Tx, key: string, data: Data): Promise<boolean> {
    const { next } = begin(this.#newest, { key, data, now: this.#options.now() });
    return (await this.#begin(tx, { next, effects: [] })) === 'begun';
  }

  /** Takes what the caller did itself, several steps in one change; nobody is asked for the steps that follow. */
  async report(tx: Tx, key: string, inputs: readonly SagaInput[]): Promise<SagaOutcome> {
    return this.#change(tx, key, { input: () => inputs, unknown: () => 'unknown', requests: false });
  }

  /** Takes at most `limit` of those whose time is up; returns how many changed. Safe to run in several processes. */
  async sweep(database: Database, limit = 100): Promise<number> {
    return database.transaction(async (tx) => {
      const now = this.#options.now();
      const due = await claimDue<Data>(tx, this.name, now, limit);
      return this.#write(tx, due, () => ({ kind: 'timeout' }));
    });
  }

  /**
   * One batch of local work: `work` gets the sagas that wait for it, locked, and does it in the same transaction; then
   * they go on as if the step had been reported. Returns how many there were.
   */
  async settle(
    database: Database,
    { step, action, limit = 200 }: { step: string; action: 'do' | 'undo'; limit?: number },
    work: (tx: Tx, sagas: readonly SagaSnapshot<Data>[]) => Promise<void>,
  ): Promise<number> {
    return database.transaction(async (tx) => {
      const sagas = await claimWaiting<Data>(tx, this.name, `${step}/${action}`, limit);
      if (sagas.length === 0) return 0;
      await work(tx, sagas);
      await this.#write(tx, sagas, () => ({ kind: action === 'do' ? 'done' : 'undone', step }));
      return sagas.length;
    });
  }

  async #begin(tx: Tx, { next, effects }: Decision<Data> & { next: SagaSnapshot<Data> }): Promise<'begun' | 'ignored'> {
    const messages = this.#messages(this.#newest, next, effects);
    const begun = (await writeSagas(tx, [{ next, messages }])).has(next.key);
    if (begun) this.#note(tx, next);
    return begun ? 'begun' : 'ignored';
  }

  async #change(
    tx: Tx,
    key: string,
    on: {
      input(definition: SagaDefinition<Data>): SagaInput | readonly SagaInput[] | undefined;
      unknown(): SagaOutcome;
      requests?: boolean;
    },
  ): Promise<SagaOutcome> {
    for (let collisions = 0; collisions < MAX_COLLISIONS; collisions += 1) {
      const saga = await this.find(tx, key);
      if (saga === undefined) return on.unknown();
      if (saga.endedAt !== undefined) return 'ended';
      const definition = this.#mustKnow(saga);
      const input = on.input(definition);
      const change = input && this.#decided(definition, saga, [input].flat(), on.requests);
      if (change === undefined) return 'ignored';
      if ((await writeSagas(tx, [change])).size > 0) {
        this.#note(tx, change.next);
        return 'moved';
      }
      // Whoever came first has committed: at READ COMMITTED the next statement sees it.
      this.#collisions?.inc({ saga: this.name });
    }
    throw new RetryableError(`saga ${this.name} ${key} changed ${MAX_COLLISIONS} times while it was decided about`);
  }

  async #write(tx: Tx, sagas: readonly SagaSnapshot<Data>[], input: () => SagaInput): Promise<number> {
    const changes = sagas.flatMap((saga) => {
      const definition = this.definitionOf(saga);
      return (definition && this.#decided(definition, saga, [input()])) ?? [];
    });
    if (changes.length === 0) return 0;
    const written = await writeSagas(tx, changes);
    for (const { next } of changes) if (written.has(next.key)) this.#note(tx, next);
    return written.size;
  }

  #decided(
    definition: SagaDefinition<Data>,
    saga: SagaSnapshot<Data>,
    inputs: readonly SagaInput[],
    requests = true,
  ): SagaChange<Data> | undefined {
    let current = saga;
    const effects: SagaEffect[] = [];
    for (const input of inputs) {
      const decision = decide(definition, current, input, this.#options.now());
      current = decision.next ?? current;
      effects.push(...decision.effects.filter(({ kind }) => requests || kind !== 'request'));
    }
    return current === saga ? undefined : { next: current, messages: this.#messages(definition, current, effects) };
  }

  #messages(definition: SagaDefinition<Data>, saga: SagaSnapshot<Data>, effects: readonly SagaEffect[]): OutboxEntry[] {
    const now = this.#options.now();
    const facts = { key: saga.key, data: saga.data, reason: saga.reason ?? '', now };
    return effects.flatMap((effect) =>
      sendsOf(definition, effect).map((sending) => ({
        definition: sending.message,
        payload: sending.payload(facts),
        aggregate: saga.key,
        mandatory: sending.mandatory,
        priority: sending.priority,
      })),
    );
  }

  #note(tx: Tx, saga: SagaSnapshot<Data>): void {
    const { endedAt } = saga;
    tx.afterCommit(() => {
      this.#options.onChange?.(saga);
      if (endedAt === undefined) return;
      const labels = { saga: this.name, outcome: saga.state };
      this.#ended?.inc(labels);
      this.#took?.observe(labels, Math.max(0, (endedAt.getTime() - saga.startedAt.getTime()) / 1000));
      if (saga.state === 'compensated')
        this.#log.warn({ saga: this.name, key: saga.key, reason: saga.reason }, 'saga compensated');
    });
  }

  #mustKnow(saga: SagaSnapshot<Data>): SagaDefinition<Data> {
    const definition = this.definitionOf(saga);
    if (definition) return definition;
    const known = [...this.#byVersion.keys()].join(', ');
    throw new RetryableError(
      `saga ${this.name} ${saga.key} runs under version ${saga.definitionVersion}; this program knows ${known}. A newer one will take it`,
    );
  }

  #correlate(message: MessageDefinition, payload: unknown): string {
    const key = this.#reports(message)[0]?.key(payload);
    if (key !== undefined && key !== '') return key;
    throw new NonRetryableError(`${message.routingKey} does not say which saga ${this.name} it is about`, {
      code: 'no-correlation',
    });
  }

  #reports(message: MessageDefinition): Report[] {
    return [...this.#byVersion.values()].flatMap((definition) =>
      reportsOf(definition).flatMap(({ report }) => (report.message === message ? [report] : [])),
    );
  }
}

function inputOf<Data>(
  definition: SagaDefinition<Data>,
  message: MessageDefinition,
  payload: unknown,
): SagaInput | undefined {
  const found = reportsOf(definition).find(({ report }) => report.message === message);
  return found && { kind: found.kind, step: found.step, detail: found.report.detail?.(payload) };
}

function unknownSaga(name: string, key: string, message: MessageDefinition, { whenUnknown }: Report): SagaOutcome {
  const text = `${message.routingKey} is about saga ${name} ${key}, and there is none`;
  switch (whenUnknown) {
    case 'ignore':
      return 'unknown';
    case 'park':
      throw new NonRetryableError(text, { code: 'unknown-saga' });
    case 'retry':
      throw new RetryableError(text);
    default:
      return whenUnknown satisfies never;
  }
}

function sendsOf<Data>(definition: SagaDefinition<Data>, effect: SagaEffect): readonly Send<Data>[] {
  switch (effect.kind) {
    case 'request': {
      const request = definition.stages[effect.stage]?.request;
      return request ? [request] : [];
    }
    case 'undo': {
      const undo = stepsOf(definition).find(({ name }) => name === effect.step)?.undo;
      return undo?.kind === 'message' ? [undo.request] : [];
    }
    case 'completed':
      return definition.completed ?? [];
    case 'compensated':
      return definition.compensated ?? [];
    default:
      return effect satisfies never;
  }
}
