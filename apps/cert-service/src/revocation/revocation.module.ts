import { Inject, Module, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { Database } from '@keelson/persistence';
import { CLOCK, CONFIG, type Clock } from '@keelson/service-kit';
import { AUTHORITY } from '../authority/authority.token.ts';
import type { Authority } from '../authority/authority-store.ts';
import { ClockGuard } from '../clock/clock-guard.ts';
import type { Config } from '../config.ts';
import { PeriodicTask } from '../tasks/periodic-task.ts';
import { RevocationController } from './revocation.controller.ts';
import { RevocationList } from './revocation-list.ts';
import { Revocation } from './revocation.ts';

/** How often to see to it that the list is signed anew in time, even where nobody fetches it. */
const LOOK_MS = 15_000;

/** Revokes certificates and keeps the revocation list. */
@Module({
  controllers: [RevocationController],
  providers: [
    {
      provide: RevocationList,
      inject: [Database, AUTHORITY, CLOCK, ClockGuard, CONFIG],
      useFactory: (database: Database, authority: Authority, clock: Clock, guard: ClockGuard, config: Config) =>
        new RevocationList({ database, authority, clock, guard, lifetimeSeconds: config.CRL_LIFETIME_SECONDS }),
    },
    {
      provide: Revocation,
      inject: [Database, CLOCK],
      useFactory: (database: Database, clock: Clock) => new Revocation({ database, clock }),
    },
  ],
})
export class RevocationModule implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #task: PeriodicTask;

  constructor(@Inject(RevocationList) list: RevocationList) {
    this.#task = new PeriodicTask({
      name: 'revocation-list',
      everyMs: LOOK_MS,
      run: async () => void (await list.current()),
    });
  }

  onApplicationBootstrap(): void {
    this.#task.start();
  }

  async onModuleDestroy(): Promise<void> {
    await this.#task.stop();
  }
}
