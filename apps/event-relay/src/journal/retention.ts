import { setTimeout as pause } from 'node:timers/promises';
import type { Journal } from './journal.ts';

const EVERY_MS = 60_000;
const STEP = 5_000;

export interface RetentionParts {
  readonly journal: Journal;
  /** Names of the configured sinks; one that was taken out of the rules holds nothing back. */
  readonly sinks: readonly string[];
  readonly days: number;
  readonly log: { warn(fields: object, message: string): void };
}

/** Removes what is older than the archive keeps, in bounded steps; never what a sink has still to get. */
export class Retention {
  readonly #parts: RetentionParts;
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;

  constructor(parts: RetentionParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { journal, sinks, days, log } = this.#parts;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        while (!signal.aborted && (await journal.prune(days, STEP, sinks)) === STEP);
        while (!signal.aborted && (await journal.pruneCounts(days, STEP)) === STEP);
      } catch (error) {
        log.warn({ reason: String(error) }, 'old events could not be removed; trying again');
      }
      await pause(EVERY_MS, undefined, { signal }).catch(() => undefined); // stopped
    }
  }
}
