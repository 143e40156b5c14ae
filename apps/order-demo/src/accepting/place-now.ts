import { Inject, Injectable } from '@nestjs/common';
import { NonRetryableError } from '@keelson/messaging';
import { Database, isConnectionLoss, type Tx } from '@keelson/persistence';
import { CallerError, CLOCK, CONFIG, type Clock, logger } from '@keelson/service-kit';
import { Coupons } from '../coupons/coupons.ts';
import { Documents } from '../documents/documents.ts';
import { endOrders } from '../fulfilment/end-orders.ts';
import type { OrderFacts } from '../fulfilment/order-saga.ts';
import { OrderSagas } from '../fulfilment/order-sagas.ts';
import { Notifications } from '../notifications/notifications.ts';
import { Payments } from '../payments/payments.ts';
import { documentNumber, seriesOf } from '../reading/history.ts';
import type { Settings } from '../settings/settings.ts';
import type { NewOrder, Outcome } from './new-order.ts';
import { outcomeOf, type Row } from './order-store.ts';

const log = logger('place-now');

// The newest rows are at the end, so this finds the one just written without a look at the others.
const unannounce = /* sql */ `
DELETE FROM outbox WHERE id = (SELECT id FROM outbox WHERE message_id = $1 ORDER BY id DESC LIMIT 1)`;

/**
 * The same order without a queue (`?mode=sync`): stock, payment, document, coupon, SMS and sale one after the other, while
 * the customer waits. It is what the asynchronous way is measured against. Its saga is kept all the same, so that an
 * order whose process dies half way is taken back at its deadline.
 */
@Injectable()
export class PlaceNow {
  constructor(
    @Inject(Database) private readonly database: Database,
    @Inject(OrderSagas) private readonly sagas: OrderSagas,
    @Inject(Payments) private readonly payments: Payments,
    @Inject(Documents) private readonly documents: Documents,
    @Inject(Coupons) private readonly coupons: Coupons,
    @Inject(Notifications) private readonly notifications: Notifications,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(CONFIG) private readonly settings: Settings,
  ) {}

  /**
   * Confirmed when it resolves with `accepted`. Throws CallerError: payment-declined, or unavailable where a part does
   * not answer; then what was done is taken back.
   */
  async place(order: NewOrder, signal: AbortSignal): Promise<Outcome> {
    const outcome = await this.database
      .transaction((tx) => this.#accept(tx, order))
      .catch((error: unknown) => {
        if (!isConnectionLoss(error)) throw error;
        const detail =
          'The database is away. Whether the order was kept is not known: send it again with the same key.';
        throw new CallerError('unavailable', { detail, retryAfterSeconds: 1, cause: error });
      });
    if (outcome.kind !== 'accepted') return outcome;
    const facts = factsOf(order, outcome);
    try {
      await this.#pay(order.id, facts, signal);
      await this.#finish(order.id, facts);
      return outcome;
    } catch (error) {
      if (error instanceof CallerError) throw error;
      log.warn({ err: error, orderId: order.id }, 'an order could not be done while the customer waited; taken back');
      await this.database.transaction((tx) =>
        this.sagas.cancel(tx, order.id, { reason: 'a part did not answer in time' }),
      );
      throw new CallerError('unavailable', {
        detail: `Order ${order.id} could not be finished: a part did not answer. What was done for it is taken back.`,
        retryAfterSeconds: error instanceof NonRetryableError ? undefined : 1,
        cause: error,
      });
    }
  }

  async #accept(tx: Tx, order: NewOrder): Promise<Outcome> {
    const [row] = await tx.query<Row>('SELECT * FROM accept_orders($1, $2, $3)', [
      JSON.stringify([{ n: 0, ...order }]),
      seriesOf(this.clock.now()),
      this.settings.APP_VERSION,
    ]);
    const outcome = outcomeOf(row!, order);
    if (outcome.kind !== 'accepted') return outcome;
    await tx.execute(unannounce, [order.id]);
    await this.sagas.beginOwn(tx, order.id, factsOf(order, outcome));
    return outcome;
  }

  async #pay(orderId: string, facts: OrderFacts, signal: AbortSignal): Promise<void> {
    const payment = { orderId, amountCents: facts.totalCents, documentNumber: facts.documentNumber };
    const charged = await this.payments.take(payment, signal);
    if (charged === undefined) throw new Error('it was cancelled before it was paid');
    await this.database.transaction(async (tx) => {
      const concluded = await this.payments.conclude(tx, orderId, charged, this.clock.now().toISOString());
      if (!concluded) throw new Error('it was cancelled while it was paid');
      if (charged.kind === 'taken') {
        await this.sagas.report(tx, orderId, [{ kind: 'done', step: 'payment', detail: charged.paymentId }]);
        return;
      }
      await this.sagas.report(tx, orderId, [
        { kind: 'failed', step: 'payment', detail: charged.reason },
        { kind: 'undone', step: 'stock' },
      ]);
      const saga = await this.sagas.find(tx, orderId);
      if (saga?.state !== 'compensated') throw new Error('it was cancelled while it was paid');
      await endOrders(tx, 'compensated', [{ id: orderId, reason: saga.reason }]);
    });
    if (charged.kind === 'taken') return;
    throw new CallerError('payment-declined', {
      detail: `The payment provider declined ${facts.totalCents / 100} EUR for order ${orderId}: ${charged.reason}. Its stock is free again.`,
    });
  }

  async #finish(orderId: string, facts: OrderFacts): Promise<void> {
    const at = this.clock.now();
    await this.database.transaction(async (tx) => {
      await this.documents.issue(tx, { orderId, documentNumber: facts.documentNumber, at });
      const granted = await this.coupons.grant(tx, [{ orderId, customer: facts.customer, at }]);
      await this.coupons.scheduleExpiry(tx, granted);
      const done = (step: string) => ({ kind: 'done', step }) as const;
      if ((await this.sagas.report(tx, orderId, [done('document'), done('coupon')])) !== 'moved') {
        throw new Error('it was cancelled meanwhile');
      }
    });
    // No transaction is open while the provider takes its time.
    await this.notifications.send({ orderId, ...facts });
    await this.database.transaction(async (tx) => {
      await this.notifications.note(tx, { orderId, at });
      await this.sagas.report(tx, orderId, [
        { kind: 'done', step: 'notification' },
        { kind: 'done', step: 'sale' },
      ]);
      const after = await this.sagas.find(tx, orderId);
      if (after?.state !== 'completed') throw new Error('it was cancelled meanwhile');
      await endOrders(tx, 'confirmed', [{ id: orderId }]);
    });
  }
}

const factsOf = (
  order: NewOrder,
  { series, number, totalCents }: Extract<Outcome, { kind: 'accepted' }>,
): OrderFacts => ({
  documentNumber: documentNumber(series, number),
  customer: order.customer,
  phone: order.phone,
  totalCents,
});
