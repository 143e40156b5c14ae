import { Global, Module } from '@nestjs/common';
import { Database } from '@keelson/persistence';
import { CLOCK, CONFIG, type Clock } from '@keelson/service-kit';
import { AUTHORITY } from '../authority/authority.token.ts';
import type { Authority } from '../authority/authority-store.ts';
import { ClockGuard } from '../clock/clock-guard.ts';
import type { Config } from '../config.ts';
import { Ledger } from '../storage/ledger.ts';
import { IssueCertificate } from './issue-certificate.ts';
import { Issuance } from './issuance.ts';
import { Policies } from './policy-file.ts';

/** Where clients fetch the revocation list, if the service knows its own address. */
const crlUrlOf = ({ PUBLIC_URL: url }: Config): string | undefined => url && `${url.replace(/\/+$/, '')}/v1/crl`;

/** Issues certificates under the policy of each team. */
@Global()
@Module({
  providers: [
    IssueCertificate,
    { provide: Ledger, inject: [Database], useFactory: (database: Database) => new Ledger(database) },
    {
      provide: Issuance,
      inject: [AUTHORITY, Policies, Ledger, CLOCK, ClockGuard, CONFIG],
      useFactory: (
        authority: Authority,
        policies: Policies,
        ledger: Ledger,
        clock: Clock,
        guard: ClockGuard,
        config: Config,
      ) =>
        new Issuance({
          authority,
          policies,
          ledger,
          clock,
          guard,
          thresholds: config.EXPIRY_THRESHOLDS,
          crlUrl: crlUrlOf(config),
        }),
    },
  ],
  exports: [Issuance, Ledger],
})
export class IssuanceModule {}
