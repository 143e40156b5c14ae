import { Inject, Injectable } from '@nestjs/common';
import {
  type Payload,
  paymentDeclined,
  paymentRefunded,
  paymentRefundRequested,
  paymentRequested,
  paymentTaken,
} from '@keelson/contracts';
import { outbox } from '@keelson/messaging';
import { type HandlerContext, Subscribe } from '@keelson/messaging/nest';
import { Database, type Tx } from '@keelson/persistence';
import { PAYMENTS_QUEUE } from '../queues.ts';
import { type ChargeOutcome, PaymentProvider } from './provider.ts';

type State = 'asked' | 'taken' | 'declined' | 'reversing' | 'reversed';

// The intention is on disk before the provider is told. A row that is there already says how far it came.
const intend = /* sql */ `
INSERT INTO payments AS p (order_id, amount_cents, state) VALUES ($1, $2, 'asked')
ON CONFLICT (order_id) DO UPDATE SET amount_cents = p.amount_cents
RETURNING state`;

const conclude = /* sql */ `
UPDATE payments SET state = $2, payment_id = $3, reason = $4, ended_at = $5 WHERE order_id = $1 AND state = 'asked' RETURNING order_id`;

// A reversal that overtakes the request leaves a tombstone, which keeps the money from being asked for later.
const intendReversal = /* sql */ `
INSERT INTO payments AS p (order_id, amount_cents, state) VALUES ($1, 0, 'reversing')
ON CONFLICT (order_id) DO UPDATE SET state = CASE WHEN p.state = 'reversed' THEN p.state ELSE 'reversing' END
RETURNING state`;

const concludeReversal = /* sql */ `UPDATE payments SET state = 'reversed', ended_at = $2 WHERE order_id = $1`;

// No inbox: a transaction would stay open for as long as the provider takes. What makes a repeat harmless is the row's
// state, and the reference, which the provider takes and gives back once.
const options = {
  queue: PAYMENTS_QUEUE.queue,
  concurrency: PAYMENTS_QUEUE.concurrency,
  inbox: false,
  retry: PAYMENTS_QUEUE.retry,
  circuitBreaker: PAYMENTS_QUEUE.circuitBreaker,
  priorities: PAYMENTS_QUEUE.priorities,
};

/** Takes and gives back the money of orders. In the inventory role, beside the process manager, on a queue of its own. */
@Injectable()
export class Payments {
  constructor(
    @Inject(Database) private readonly database: Database,
    @Inject(PaymentProvider) private readonly provider: PaymentProvider,
  ) {}

  @Subscribe(paymentRequested, options)
  async onRequested(
    { orderId, amountCents, documentNumber }: Payload<typeof paymentRequested>,
    { signal }: Pick<HandlerContext, 'signal'>,
  ): Promise<void> {
    const outcome = await this.take({ orderId, amountCents, documentNumber }, signal);
    if (outcome === undefined) return;
    const at = new Date().toISOString();
    await this.database.transaction(async (tx) => {
      // Reversed meanwhile: whoever reverses it reports, and the provider gives back what was just taken.
      if (!(await this.conclude(tx, orderId, outcome, at))) return;
      const options = { aggregate: orderId };
      if (outcome.kind === 'taken') {
        await outbox(tx, paymentTaken, { orderId, paymentId: outcome.paymentId, amountCents, at }, options);
      } else await outbox(tx, paymentDeclined, { orderId, reason: outcome.reason, at }, options);
    });
  }

  /** Writes the intention down and asks the provider; undefined where the payment has its outcome already. */
  async take(
    { orderId, amountCents, documentNumber }: { orderId: string; amountCents: number; documentNumber: string },
    signal?: AbortSignal,
  ): Promise<ChargeOutcome | undefined> {
    const [row] = await this.database.query<{ state: State }>(intend, [orderId, amountCents]);
    if (row!.state !== 'asked') return undefined;
    return this.provider.charge({ reference: orderId, amountCents, description: documentNumber }, signal);
  }

  /** Notes the outcome; false where the payment was reversed meanwhile. */
  async conclude(tx: Tx, orderId: string, outcome: ChargeOutcome, at: string): Promise<boolean> {
    const [paymentId, reason] = outcome.kind === 'taken' ? [outcome.paymentId, null] : [null, outcome.reason];
    return (await tx.query(conclude, [orderId, outcome.kind, paymentId, reason, at])).length > 0;
  }

  @Subscribe(paymentRefundRequested, options)
  async onRefundRequested(
    { orderId }: Payload<typeof paymentRefundRequested>,
    { signal }: Pick<HandlerContext, 'signal'>,
  ): Promise<void> {
    await this.database.query<{ state: State }>(intendReversal, [orderId]);
    const outcome = await this.provider.reverse(orderId, signal);
    const at = new Date().toISOString();
    await this.database.transaction(async (tx) => {
      await tx.execute(concludeReversal, [orderId, at]);
      await outbox(tx, paymentRefunded, { orderId, outcome, at }, { aggregate: orderId });
    });
  }
}
