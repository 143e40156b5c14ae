import type { Database } from '@keelson/persistence';
import { CallerError, counter, gauge, logger, type Clock } from '@keelson/service-kit';

const log = logger('clock');

const skewSeconds = gauge({
  name: 'keelson_clock_skew_seconds',
  help: "Clock of this process minus that of the database, at the last look; positive where this one's is ahead",
});
const jumps = counter({
  name: 'keelson_clock_jumps_total',
  help: 'How often the clock of this process went on otherwise than time did',
});

/** What two looks at the clocks tell. Pure. `monotonicMs` never jumps; the others may. */
export function compareClocks(
  before: { readonly wallMs: number; readonly monotonicMs: number } | undefined,
  now: { readonly wallMs: number; readonly monotonicMs: number; readonly databaseMs: number },
  limits: { readonly jumpMs: number; readonly skewMs: number },
): { readonly jumpMs: number; readonly skewMs: number; readonly trusted: boolean } {
  const moved = before === undefined ? 0 : now.wallMs - before.wallMs - (now.monotonicMs - before.monotonicMs);
  const skewMs = now.wallMs - now.databaseMs;
  return {
    jumpMs: Math.abs(moved) >= limits.jumpMs ? moved : 0,
    skewMs,
    trusted: Math.abs(skewMs) <= limits.skewMs,
  };
}

/** NTP steps the clock from 128 ms on; what is below five seconds harms nobody here. */
const JUMP_MS = 5_000;

/**
 * Compares the clock of this process with that of the database, which is another machine's in production. While they
 * disagree by more than the limit one of them is wrong, and a certificate dated by it would be worthless or last too
 * long: nothing is signed, renewed or announced until they agree again.
 */
export class ClockGuard {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #limitMs: number;
  #last: { wallMs: number; monotonicMs: number } | undefined;
  #skewMs = 0;
  #trusted = true;

  constructor(options: { database: Database; clock: Clock; limitSeconds: number }) {
    this.#database = options.database;
    this.#clock = options.clock;
    this.#limitMs = options.limitSeconds * 1000;
  }

  get trusted(): boolean {
    return this.#trusted;
  }

  /** Throws CallerError `clock-untrusted` while the clocks disagree. */
  check(): void {
    if (this.#trusted) return;
    throw new CallerError('clock-untrusted', { detail: this.reason(), retryAfterSeconds: 30 });
  }

  /** In words, for readiness and refusals. */
  reason(): string {
    const seconds = Math.round(this.#skewMs / 1000);
    const way = seconds > 0 ? 'ahead of' : 'behind';
    return `The clock of this service is ${Math.abs(seconds)} s ${way} that of the database; at most ${this.#limitMs / 1000} s are tolerated. Mend the clock that is wrong; nothing is signed meanwhile.`;
  }

  /** Looks at both clocks; at start and every few seconds from then on. Throws where the database cannot be asked. */
  async look(): Promise<void> {
    const from = this.#clock.now().getTime();
    const [row] = await this.#database.query<{ now: string }>(
      'select (extract(epoch from clock_timestamp()) * 1000)::float8::text as now',
    );
    const wallMs = this.#clock.now().getTime();
    const now = { wallMs: (from + wallMs) / 2, monotonicMs: performance.now(), databaseMs: Number(row?.now) };
    const { jumpMs, skewMs, trusted } = compareClocks(this.#last, now, { jumpMs: JUMP_MS, skewMs: this.#limitMs });
    if (jumpMs !== 0) {
      jumps.inc();
      log.warn({ jumpSeconds: jumpMs / 1000 }, 'the clock jumped; what is due by the new time is looked at now');
    }
    if (trusted !== this.#trusted) {
      if (trusted) log.info({ skewSeconds: skewMs / 1000 }, 'the clocks agree again');
      else
        log.error({ skewSeconds: skewMs / 1000 }, 'the clock disagrees with that of the database: nothing is signed');
    }
    this.#last = now;
    this.#skewMs = skewMs;
    this.#trusted = trusted;
    skewSeconds.set(skewMs / 1000);
  }
}
