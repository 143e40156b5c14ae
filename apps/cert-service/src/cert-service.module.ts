import { Module, type DynamicModule } from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import { catalogue } from '@keelson/contracts';
import { MessagingModule } from '@keelson/messaging/nest';
import { Database } from '@keelson/persistence';
import { CONFIG, counter, gauge, histogram, logger } from '@keelson/service-kit';
import { AuditModule } from './audit/audit.module.ts';
import { AuthorityModule } from './authority/authority.module.ts';
import type { Config } from './config.ts';
import { DeliveryModule } from './delivery/delivery.module.ts';
import { ExpiryModule } from './expiry/expiry.module.ts';
import { InventoryModule } from './inventory/inventory.module.ts';
import { IssuanceModule } from './issuance/issuance.module.ts';
import type { Prepared } from './prepare.ts';
import { PreparedModule } from './prepared.module.ts';
import { RevocationModule } from './revocation/revocation.module.ts';
import { DatabaseFaults } from './storage/database-faults.ts';

export const SERVICE = 'cert-service';

/** The whole service. */
@Module({})
export class CertServiceModule {
  static with(prepared: Prepared): DynamicModule {
    return {
      module: CertServiceModule,
      imports: [
        PreparedModule.with(prepared),
        MessagingModule.forRootAsync({
          inject: [CONFIG, Database],
          useFactory: (config: Config, database: Database) => ({
            url: config.AMQP_URL,
            managementUrl: config.AMQP_MANAGEMENT_URL,
            topologyMode: config.AMQP_TOPOLOGY,
            service: SERVICE,
            catalogue,
            database,
            metrics: { counter, gauge, histogram },
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
      providers: [{ provide: APP_INTERCEPTOR, useClass: DatabaseFaults }],
    };
  }
}
