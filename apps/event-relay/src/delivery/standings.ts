import { gauge } from '@keelson/service-kit';
import { setTimeout as pause } from 'node:timers/promises';
import type { Sinks } from './sinks.ts';

const EVERY_MS = 10_000;

export interface StandingsParts {
  readonly sinks: Sinks;
  /** Watches of Events of this process, with when each last heard the API server; undefined where another one watches. */
  readonly watches: readonly { readonly api: string; readonly heardAt: Date | undefined }[];
  readonly log: { warn(fields: object, message: string): void };
}

/** Writes into the metrics, every ten seconds, how far sinks are behind and when watches last heard their API server. */
export class Standings {
  readonly #parts: StandingsParts;
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;

  constructor(parts: StandingsParts) {
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
    const { sinks, watches, log } = this.#parts;
    const { signal } = this.#stopping;
    const lagEvents = gauge({
      name: 'keelson_sink_lag_events',
      help: 'Events in the journal that the sink has still to look at',
      labelNames: ['sink'],
    });
    const lagSeconds = gauge({
      name: 'keelson_sink_lag_seconds',
      help: 'Age of the oldest event that the sink has still to look at',
      labelNames: ['sink'],
    });
    const heard = gauge({
      name: 'keelson_watch_heard_timestamp_seconds',
      help: 'When this replica last heard the API server; 0 where another replica watches',
      labelNames: ['api'],
    });
    while (!signal.aborted) {
      for (const { api, heardAt } of watches) heard.set({ api }, (heardAt?.getTime() ?? 0) / 1000);
      try {
        for (const sink of await sinks.list()) {
          lagEvents.set({ sink: sink.name }, sink.lagEvents);
          lagSeconds.set({ sink: sink.name }, sink.lagSeconds);
        }
      } catch (error) {
        log.warn({ reason: String(error) }, 'how far sinks are behind cannot be read; the metrics keep what they said');
      }
      await pause(EVERY_MS, undefined, { signal }).catch(() => undefined); // stopped
    }
  }
}
