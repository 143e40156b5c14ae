import type { Database, Log } from '@keelson/persistence';
import type { AmqpConnection } from '../connection/connection.ts';
import { cleanInbox } from '../consume/inbox-cleaner.ts';
import { messageOf } from '../message-of.ts';
import type { OutboxRelay } from '../outbox/relay.ts';
import type { Publishers } from '../publish/publishers.ts';
import type { MessageScheduler } from '../schedule/scheduler.ts';
import type { Instruments } from './instruments.ts';

export interface HousekeepingOptions {
  instruments: Instruments;
  publishing: AmqpConnection;
  consuming: AmqpConnection;
  publishers: Publishers;
  relays: readonly OutboxRelay[];
  schedulers: readonly MessageScheduler[];
  /** Given while a subscription has an inbox. */
  inbox: () => Database | undefined;
  inboxRetentionDays: number;
  log: Log;
}

const GAUGES_MS = 5_000;
const CLEAN_MS = 60_000;

/** What has to be done now and then: gauges set, old inbox rows removed. Never keeps the process alive. */
export class Housekeeping {
  readonly #options: HousekeepingOptions;
  readonly #gauges: NodeJS.Timeout;
  readonly #cleaning: NodeJS.Timeout;
  #busy: Promise<void> = Promise.resolve();

  constructor(options: HousekeepingOptions) {
    this.#options = options;
    this.#gauges = setInterval(() => this.#queue(() => this.measure()), GAUGES_MS).unref();
    this.#cleaning = setInterval(() => this.#queue(() => this.#clean()), CLEAN_MS).unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#gauges);
    clearInterval(this.#cleaning);
    await this.#busy;
  }

  async measure(): Promise<void> {
    const { instruments, publishing, consuming, publishers, relays, schedulers } = this.#options;
    instruments.inFlight.set({}, publishers.inFlight);
    instruments.waiting.set({}, publishers.waiting);
    instruments.waitingBytes.set({}, publishers.waitingBytes);
    const up = (connection: AmqpConnection): number => (connection.model === undefined ? 0 : 1);
    instruments.connected.set({ purpose: 'publish' }, up(publishing));
    instruments.connected.set({ purpose: 'consume' }, up(consuming));
    instruments.blocked.set({}, publishing.state.state === 'blocked' ? 1 : 0);
    const [scheduler] = schedulers;
    if (scheduler !== undefined) {
      const waiting = await scheduler.waiting();
      instruments.scheduledRows.set({}, waiting.rows);
      instruments.scheduledLate.set({}, waiting.lateSeconds);
    }
    const [relay] = relays;
    if (relay === undefined) return;
    const lag = await relay.lag();
    instruments.outboxRows.set({}, lag.rows);
    instruments.outboxDeferred.set({}, lag.deferred);
    instruments.outboxSeconds.set({}, lag.seconds);
  }

  async #clean(): Promise<void> {
    const database = this.#options.inbox();
    if (database === undefined) return;
    await cleanInbox(database, { retentionDays: this.#options.inboxRetentionDays, step: 1_000, steps: 20 });
  }

  #queue(work: () => Promise<void>): void {
    this.#busy = this.#busy.then(work).catch((error: unknown) => {
      this.#options.log.warn({ error: messageOf(error) }, 'messaging housekeeping failed; it is tried again');
    });
  }
}
