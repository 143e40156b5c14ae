import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { type Order, ordersApi } from '@keelson/contracts';
import { CallerError, type OperationInput, serveDirectly, traceHeaders } from '@keelson/service-kit';
import { setTimeout as pause } from 'node:timers/promises';
import { Faults } from '../injection/faults.ts';
import { documentNumber, historyOf } from '../reading/history.ts';
import { orderV2, placeOrderOfV2 } from '../reading/order-v2.ts';
import { Orders } from '../reading/orders.ts';
import { Door } from './door.ts';
import { fingerprintOf, type LineFault, type NewOrder, type Outcome, unstorableText } from './new-order.ts';
import { PlaceNow } from './place-now.ts';
import { uuid7 } from './uuid7.ts';

const { placeOrder, placeOrderV2 } = ordersApi.endpoints;
type Input = OperationInput<typeof placeOrder>;

/** The one hot operation: served past Nest's router, which was an eighth of its cost. All others are controllers. */
@Injectable()
export class PlaceOrder implements OnModuleInit {
  constructor(
    @Inject(HttpAdapterHost) private readonly host: HttpAdapterHost,
    @Inject(Door) private readonly door: Door,
    @Inject(Faults) private readonly faults: Faults,
    @Inject(PlaceNow) private readonly now: PlaceNow,
    @Inject(Orders) private readonly orders: Orders,
  ) {}

  onModuleInit(): void {
    const server = this.host.httpAdapter.getInstance();
    serveDirectly(server, placeOrder, (input) => this.place(input));
    serveDirectly(server, placeOrderV2, async (input) => {
      const body = placeOrderOfV2(input.body);
      const order = orderV2(await this.place({ ...input, signal: input.signal, body, query: { mode: 'async' } }));
      input.setHeader('location', order.links.self);
      return order;
    });
  }

  async place(input: Input): Promise<Order> {
    if (this.faults.latencyMs > 0) await pause(this.faults.latencyMs);
    if (this.faults.nextFails()) throw new Error('injected fault: this version fails a share of its orders');
    refuseUnstorable(input);
    const order: NewOrder = {
      ...input.body,
      id: uuid7(),
      team: input.principal.team,
      principal: input.principal.id,
      key: input.idempotencyKey!,
      fingerprint: fingerprintOf(input.body),
      traceparent: traceHeaders()['traceparent'],
    };
    if (input.query.mode === 'sync') return this.#answerNow(input, await this.now.place(order, input.signal));
    return answer(input, await this.door.accept(order));
  }

  /** The order as it is in the end: 201, or the problem that ended it. */
  async #answerNow(input: Input, outcome: Outcome): Promise<Order> {
    const { id } = answer(input, outcome);
    const order = await this.orders.find(input.principal.team, id);
    switch (order?.status) {
      case 'confirmed':
        input.setStatus(201);
        return order;
      case 'compensated': {
        const reason = order.history.findLast(({ step }) => step === 'compensated')?.detail ?? '';
        const code = reason.startsWith('payment failed') ? 'payment-declined' : 'unavailable';
        throw new CallerError(code, { detail: `Order ${id} was taken back: ${reason}.` });
      }
      default:
        throw new CallerError('idempotency-key-in-progress', {
          detail: `Order ${id} is not finished yet; ask again in a second.`,
          retryAfterSeconds: 1,
        });
    }
  }
}

function refuseUnstorable({ body }: Input): void {
  const pointer = unstorableText(body);
  if (!pointer) return;
  throw new CallerError('invalid-request', {
    detail: `${pointer} holds a NUL character or half of a surrogate pair, which cannot be stored.`,
    errors: [{ pointer, detail: 'must be well-formed Unicode without NUL' }],
  });
}

function answer(input: Input, outcome: Outcome): Order {
  switch (outcome.kind) {
    case 'replayed':
      input.setHeader('idempotent-replayed', 'true');
      break;
    case 'accepted':
      break;
    case 'reused':
      throw new CallerError('idempotency-key-reused', {
        detail: 'This Idempotency-Key was used for another order; take a new key for a new order.',
      });
    case 'unknown-sku':
    case 'out-of-stock':
      throw refusal(outcome.kind, outcome.faults, input);
    case 'failed':
      throw outcome.cause;
  }
  input.setHeader('location', `/v1/orders/${outcome.id}`);
  const number = documentNumber(outcome.series, outcome.number);
  return {
    id: outcome.id,
    documentNumber: number,
    status: 'accepted',
    customer: input.body.customer,
    lines: input.body.lines,
    totalCents: outcome.totalCents,
    acceptedAt: outcome.acceptedAt.toISOString(),
    acceptedBy: outcome.acceptedBy,
    history: historyOf({ documentNumber: number, acceptedAt: outcome.acceptedAt, status: 'accepted' }),
  };
}

function refusal(code: 'unknown-sku' | 'out-of-stock', faults: readonly LineFault[], { body }: Input): CallerError {
  const errors = faults.map(({ line, sku, available }) =>
    available === undefined
      ? {
          pointer: `/lines/${line}/sku`,
          detail: `there is no article ${JSON.stringify(sku)}; GET /v1/stock lists them`,
        }
      : {
          pointer: `/lines/${line}/sku`,
          detail: `${body.lines[line]!.quantity} of ${JSON.stringify(sku)} are wanted, ${available} are left`,
        },
  );
  return new CallerError(code, {
    detail: `${errors[0]!.pointer}: ${errors[0]!.detail}. Nothing was reserved.`,
    errors,
  });
}
