import { Controller, Inject, Injectable } from '@nestjs/common';
import { ordersApi, type Payload, ProblemError, type Quote, quoteRequested } from '@keelson/contracts';
import { Messaging, NoReplyError, RequestProblem, UnroutableError } from '@keelson/messaging';
import { Respond } from '@keelson/messaging/nest';
import { Database } from '@keelson/persistence';
import { CallerError, Operation, type OperationInput } from '@keelson/service-kit';
import { QUOTES_QUEUE } from '../queues.ts';
import { PriceCache } from './price-cache.ts';

const { askQuote } = ordersApi.endpoints;
const available = /* sql */ `SELECT sku, available FROM articles WHERE sku = ANY ($1)`;
/** A customer waits: an answer that comes later is of no use. */
const DEADLINE_MS = 2_000;

/** The inventory role answers what an order would cost and whether there is enough; nothing is reserved. */
@Injectable()
export class Quotes {
  constructor(
    @Inject(Database) private readonly database: Database,
    @Inject(PriceCache) private readonly prices: PriceCache,
  ) {}

  @Respond(quoteRequested, { queue: QUOTES_QUEUE })
  async quote({ lines }: Payload<typeof quoteRequested>): Promise<Quote> {
    const rows = await this.database.query<{ sku: string; available: string }>(available, [
      lines.map(({ sku }) => sku),
    ]);
    const stock = new Map(rows.map((row) => [row.sku, Number(row.available)]));
    const quoted = lines.map(({ sku, quantity }, index) => {
      const priceCents = this.prices.of(sku);
      const left = stock.get(sku);
      if (priceCents === undefined || left === undefined) {
        throw new RequestProblem({
          code: 'unknown-sku',
          title: 'The order names an article that does not exist',
          detail: `/lines/${index}/sku: there is no article ${JSON.stringify(sku)}; GET /v1/stock lists them`,
        });
      }
      return { sku, quantity, priceCents, available: left >= quantity };
    });
    return {
      lines: quoted,
      totalCents: quoted.reduce((sum, { quantity, priceCents }) => sum + quantity * priceCents, 0),
      available: quoted.every((line) => line.available),
    };
  }
}

@Controller()
export class QuoteController {
  constructor(@Inject(Messaging) private readonly messaging: Messaging) {}

  @Operation(askQuote)
  async ask({ body }: OperationInput<typeof askQuote>): Promise<Quote> {
    try {
      return await this.messaging.request(quoteRequested, body, { deadlineMs: DEADLINE_MS });
    } catch (error) {
      if (error instanceof ProblemError && error.code === 'unknown-sku') {
        throw new CallerError('unknown-sku', { detail: error.problem.detail ?? error.message });
      }
      if (!(error instanceof NoReplyError || error instanceof UnroutableError)) throw error;
      throw new CallerError('unavailable', {
        detail: `The inventory role does not answer within ${DEADLINE_MS / 1000} s. Orders are accepted all the same.`,
        retryAfterSeconds: 1,
        cause: error,
      });
    }
  }
}
