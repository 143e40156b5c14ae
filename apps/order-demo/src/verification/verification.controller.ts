import { Controller, Inject } from '@nestjs/common';
import { ordersApi, type Verdict } from '@keelson/contracts';
import { Database } from '@keelson/persistence';
import { CONFIG, Operation, type OperationInput } from '@keelson/service-kit';
import type { Settings } from '../settings/settings.ts';
import { gatherEvidence } from './evidence.ts';
import { judge } from './rules.ts';

const { verifyOrders } = ordersApi.endpoints;

@Controller()
export class VerificationController {
  constructor(
    @Inject(Database) private readonly database: Database,
    @Inject(CONFIG) private readonly settings: Settings,
  ) {}

  /** Of all teams: it is a statement about the database as a whole and names nothing but ids. */
  @Operation(verifyOrders)
  async verify({ query }: OperationInput<typeof verifyOrders>): Promise<Verdict> {
    const graceMs = query.graceSeconds * 1000;
    const deadlineMs = this.settings.ORDER_DEADLINE_SECONDS * 1000;
    return judge(await gatherEvidence(this.database, { graceMs, deadlineMs }), { graceMs });
  }
}
