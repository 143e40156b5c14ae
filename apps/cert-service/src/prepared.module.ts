import { Global, Module, type DynamicModule } from '@nestjs/common';
import { Database, PostgresIdempotencyStore } from '@keelson/persistence';
import { IDEMPOTENCY_STORE } from '@keelson/service-kit';
import { AUTHORITY } from './authority/authority.token.ts';
import { ClockGuard } from './clock/clock-guard.ts';
import { Policies } from './issuance/policy-file.ts';
import type { Prepared } from './prepare.ts';
import { idempotencyOrUnavailable } from './storage/database-faults.ts';

/** Gives what was prepared to every module. */
@Global()
@Module({})
export class PreparedModule {
  static with({ database, guard, authority, policies }: Prepared): DynamicModule {
    const providers = [
      { provide: Database, useValue: database },
      { provide: ClockGuard, useValue: guard },
      { provide: AUTHORITY, useValue: authority },
      { provide: Policies, useValue: policies },
      { provide: IDEMPOTENCY_STORE, useValue: idempotencyOrUnavailable(new PostgresIdempotencyStore(database)) },
    ];
    return { module: PreparedModule, providers, exports: providers.map(({ provide }) => provide) };
  }
}
