import { Module } from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import { catalogue } from '@keelson/contracts';
import { outboxMigrations } from '@keelson/messaging';
import { MessagingModule } from '@keelson/messaging/nest';
import { Database, idempotencyMigrations, PersistenceModule, PostgresIdempotencyStore } from '@keelson/persistence';
import { CONFIG, IDEMPOTENCY_STORE, logger } from '@keelson/service-kit';
import { AuditModule } from './audit/audit.module.ts';
import { AuthorityModule } from './authority/authority.module.ts';
import type { Config } from './config.ts';
import { DeliveryModule } from './delivery/delivery.module.ts';
import { ExpiryModule } from './expiry/expiry.module.ts';
import { InventoryModule } from './inventory/inventory.module.ts';
import { IssuanceModule } from './issuance/issuance.module.ts';
import { RevocationModule } from './revocation/revocation.module.ts';
import { DatabaseFaults } from './storage/database-faults.ts';
import { CertificateSchema1791000000001 } from './storage/schema.ts';

export const SERVICE = 'cert-service';

/** The whole service. */
@Module({
  imports: [
    PersistenceModule.forRootAsync({
      inject: [CONFIG],
      useFactory: (config: Config) => ({
        url: config.DATABASE_URL,
        name: SERVICE,
        migrations: [...outboxMigrations, ...idempotencyMigrations, CertificateSchema1791000000001],
        log: logger('database'),
      }),
    }),
    MessagingModule.forRootAsync({
      inject: [CONFIG, Database],
      useFactory: (config: Config, database: Database) => ({
        url: config.AMQP_URL,
        service: SERVICE,
        catalogue,
        database,
        log: logger('messaging'),
      }),
    }),
    AuthorityModule,
    IssuanceModule,
    InventoryModule,
    RevocationModule,
    ExpiryModule,
    DeliveryModule,
    AuditModule,
  ],
  providers: [
    { provide: APP_INTERCEPTOR, useClass: DatabaseFaults },
    {
      provide: IDEMPOTENCY_STORE,
      inject: [Database],
      useFactory: (database: Database) => new PostgresIdempotencyStore(database),
    },
  ],
})
export class CertServiceModule {}
