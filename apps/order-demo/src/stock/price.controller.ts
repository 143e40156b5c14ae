import { Controller, Inject } from '@nestjs/common';
import { ordersApi, priceChanged, type Stock } from '@keelson/contracts';
import { outbox } from '@keelson/messaging';
import { Database } from '@keelson/persistence';
import { CallerError, Operation, type OperationInput } from '@keelson/service-kit';

const { changePrice } = ordersApi.endpoints;

const set = /* sql */ `
UPDATE articles SET price_cents = $2 WHERE sku = $1
RETURNING sku, available, reserved, sold, price_cents AS "priceCents"`;

@Controller()
export class PriceController {
  constructor(@Inject(Database) private readonly database: Database) {}

  @Operation(changePrice)
  async change({ params: { sku }, body: { priceCents } }: OperationInput<typeof changePrice>): Promise<Stock> {
    return await this.database.transaction(async (tx) => {
      const [row] = await tx.query<Record<keyof Stock, string>>(set, [sku, priceCents]);
      if (!row) throw new CallerError('not-found', { detail: `There is no article ${JSON.stringify(sku)}.` });
      const at = new Date().toISOString();
      // Nobody need be listening: who starts later reads the table.
      await outbox(tx, priceChanged, { sku, priceCents, at }, { aggregate: `article/${sku}`, mandatory: false });
      return {
        sku: row.sku,
        available: Number(row.available),
        reserved: Number(row.reserved),
        sold: Number(row.sold),
        priceCents: Number(row.priceCents),
      };
    });
  }
}
