import { Controller, Inject } from '@nestjs/common';
import { ordersApi, type Verdict } from '@keelson/contracts';
import { Database } from '@keelson/persistence';
import { RetryableError, ThrottledError } from '@keelson/messaging';
import { CallerError, CONFIG, Operation, type OperationInput } from '@keelson/service-kit';
import { PaymentProvider } from '../payments/provider.ts';
import type { Settings } from '../settings/settings.ts';
import { gatherEvidence } from './evidence.ts';
import { judge } from './rules.ts';

const { verifyOrders } = ordersApi.endpoints;

@Controller()
export class VerificationController {
  constructor(
    @Inject(Database) private readonly database: Database,
    @Inject(PaymentProvider) private readonly payments: PaymentProvider,
    @Inject(CONFIG) private readonly settings: Settings,
  ) {}

  /** Of all teams: it is a statement about the database as a whole and names nothing but ids. */
  @Operation(verifyOrders)
  async verify({ query }: OperationInput<typeof verifyOrders>): Promise<Verdict> {
    const graceMs = query.graceSeconds * 1000;
    const deadlineMs = this.settings.ORDER_DEADLINE_SECONDS * 1000;
    try {
      return judge(await gatherEvidence(this.database, { graceMs, payments: this.payments }), { graceMs, deadlineMs });
    } catch (error) {
      if (!(error instanceof RetryableError || error instanceof ThrottledError)) throw error;
      throw new CallerError('unavailable', { detail: error.message, retryAfterSeconds: 1, cause: error });
    }
  }
}
