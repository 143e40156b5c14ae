import { Inject, Module, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { Database } from '@keelson/persistence';
import { CLOCK, CONFIG, gauge, type Clock } from '@keelson/service-kit';
import { ClockGuard } from '../clock/clock-guard.ts';
import type { Config } from '../config.ts';
import { PeriodicTask } from '../tasks/periodic-task.ts';
import { ExpiryScan } from './expiry-scan.ts';

const next = gauge({
  name: 'keelson_certificate_next_expiry_timestamp_seconds',
  help: 'When the next certificate expires that is neither revoked nor replaced; 0 where there is none',
});

const readNext = `
  select min(not_after) as at from certificates where revoked_at is null and replaced_by is null and not_after > $1`;

/** Announces what will expire. */
@Module({})
export class ExpiryModule implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #task: PeriodicTask;

  constructor(
    @Inject(Database) database: Database,
    @Inject(CLOCK) clock: Clock,
    @Inject(ClockGuard) guard: ClockGuard,
    @Inject(CONFIG) config: Config,
  ) {
    const scan = new ExpiryScan({ database, clock, guard, thresholds: config.EXPIRY_THRESHOLDS });
    let planned = false;
    this.#task = new PeriodicTask({
      name: 'expiry-scan',
      everyMs: config.EXPIRY_SCAN_SECONDS * 1000,
      run: async (signal) => {
        // The look at the clock comes right before what depends on it most.
        await guard.look();
        if (!planned) await scan.replan();
        planned = true;
        await scan.run(signal);
        const [row] = await database.query<{ at: Date | null }>(readNext, [clock.now()]);
        next.set((row?.at?.getTime() ?? 0) / 1000);
      },
    });
  }

  onApplicationBootstrap(): void {
    this.#task.start();
  }

  async onModuleDestroy(): Promise<void> {
    await this.#task.stop();
  }
}
