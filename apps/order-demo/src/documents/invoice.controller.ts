import { Controller, Inject } from '@nestjs/common';
import { ordersApi } from '@keelson/contracts';
import { Database } from '@keelson/persistence';
import { CallerError, Operation, type OperationInput } from '@keelson/service-kit';

const { getInvoice } = ordersApi.endpoints;

const find = /* sql */ `
SELECT i.pdf, i.etag, d.withdrawn_at IS NOT NULL AS voided
  FROM orders o LEFT JOIN documents d ON d.order_id = o.id LEFT JOIN invoices i ON i.order_id = o.id
 WHERE o.id = $2 AND ($1 = '*' OR o.team = $1)`;

interface Row {
  pdf: Buffer | null;
  etag: string | null;
  voided: boolean | null;
}

@Controller()
export class InvoiceController {
  constructor(@Inject(Database) private readonly database: Database) {}

  @Operation(getInvoice)
  async get({ params: { id }, principal, setHeader }: OperationInput<typeof getInvoice>): Promise<Buffer> {
    const [row] = await this.database.query<Row>(find, [principal.team, id]);
    if (!row) throw new CallerError('not-found', { detail: `There is no order ${id}.` });
    if (row.voided)
      throw new CallerError('not-found', { detail: `The invoice of order ${id} was voided with the order.` });
    if (!row.pdf) {
      throw new CallerError('not-found', {
        detail: `The invoice of order ${id} is not made yet; its history says document-issued when it is.`,
        retryAfterSeconds: 1,
      });
    }
    setHeader('etag', `"${row.etag}"`);
    setHeader('cache-control', 'private, no-cache');
    setHeader('content-disposition', `inline; filename="invoice-${id}.pdf"`);
    return row.pdf;
  }
}
