import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { type Order, ordersApi } from '@keelson/contracts';
import { CallerError, type OperationInput, serveDirectly, traceHeaders } from '@keelson/service-kit';
import { setTimeout as pause } from 'node:timers/promises';
import { Faults } from '../injection/faults.ts';
import { documentNumber, historyOf } from '../reading/history.ts';
import { Door } from './door.ts';
import { fingerprintOf, type LineFault, type Outcome, unstorableText } from './new-order.ts';
import { uuid7 } from './uuid7.ts';

const { placeOrder } = ordersApi.endpoints;
type Input = OperationInput<typeof placeOrder>;

/** The one hot operation: served past Nest's router, which was an eighth of its cost. All others are controllers. */
@Injectable()
export class PlaceOrder implements OnModuleInit {
  constructor(
    @Inject(HttpAdapterHost) private readonly host: HttpAdapterHost,
    @Inject(Door) private readonly door: Door,
    @Inject(Faults) private readonly faults: Faults,
  ) {}

  onModuleInit(): void {
    serveDirectly(this.host.httpAdapter.getInstance(), placeOrder, (input) => this.place(input));
  }

  async place(input: Input): Promise<Order> {
    if (this.faults.latencyMs > 0) await pause(this.faults.latencyMs);
    if (this.faults.nextFails()) throw new Error('injected fault: this version fails a share of its orders');
    refuseUnstorable(input);
    const outcome = await this.door.accept({
      ...input.body,
      id: uuid7(),
      team: input.principal.team,
      principal: input.principal.id,
      key: input.idempotencyKey!,
      fingerprint: fingerprintOf(input.body),
      traceparent: traceHeaders()['traceparent'],
    });
    return answer(input, outcome);
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
