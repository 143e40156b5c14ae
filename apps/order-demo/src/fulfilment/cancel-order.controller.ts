import { Controller, Inject } from '@nestjs/common';
import { type Order, ordersApi } from '@keelson/contracts';
import { Database } from '@keelson/persistence';
import { CallerError, Operation, type OperationInput } from '@keelson/service-kit';
import { Orders } from '../reading/orders.ts';
import { cancelOrder } from './cancellation.ts';
import { OrderSagas } from './order-sagas.ts';

const { cancelOrder: operation } = ordersApi.endpoints;

@Controller()
export class CancelOrderController {
  constructor(
    @Inject(Database) private readonly database: Database,
    @Inject(Orders) private readonly orders: Orders,
    @Inject(OrderSagas) private readonly sagas: OrderSagas,
  ) {}

  @Operation(operation)
  async cancel({ params: { id }, principal: { team, name } }: OperationInput<typeof operation>): Promise<Order> {
    const result = await cancelOrder(this.database, this.sagas, { team, id, by: name });
    if (result === 'already-confirmed') {
      throw new CallerError('already-confirmed', { detail: `Order ${id} is confirmed; its stock is sold.` });
    }
    const order = result === 'not-found' ? undefined : await this.orders.find(team, id);
    if (!order) throw new CallerError('not-found', { detail: `There is no order ${id}.` });
    return order;
  }
}
