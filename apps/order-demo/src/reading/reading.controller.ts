import { Controller, Inject } from '@nestjs/common';
import { ordersApi } from '@keelson/contracts';
import { CallerError, Operation, type OperationInput, type OperationResult } from '@keelson/service-kit';
import { cursorOf, keyOf } from './cursor.ts';
import { orderV2 } from './order-v2.ts';
import { Orders, type Page } from './orders.ts';

const { listOrders, getOrder, getOrderV2, listStock } = ordersApi.endpoints;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
// eslint-disable-next-line no-control-regex -- NUL is what PostgreSQL refuses in a text
const SKU = /^[^\0]{1,64}$/;

@Controller()
export class ReadingController {
  constructor(@Inject(Orders) private readonly orders: Orders) {}

  @Operation(listOrders)
  async list({ query, principal }: OperationInput<typeof listOrders>): Promise<OperationResult<typeof listOrders>> {
    const after = keyOf(query.cursor, UUID);
    return answer(await this.orders.list(principal.team, { ...query, after }));
  }

  @Operation(getOrder)
  async get({ params, principal }: OperationInput<typeof getOrder>): Promise<OperationResult<typeof getOrder>> {
    const order = await this.orders.find(principal.team, params.id);
    if (!order) throw new CallerError('not-found', { detail: `There is no order ${params.id}.` });
    return order;
  }

  @Operation(getOrderV2)
  async getV2({ params, principal }: OperationInput<typeof getOrderV2>): Promise<OperationResult<typeof getOrderV2>> {
    const order = await this.orders.find(principal.team, params.id);
    if (!order) throw new CallerError('not-found', { detail: `There is no order ${params.id}.` });
    return orderV2(order);
  }

  @Operation(listStock)
  async stock({ query }: OperationInput<typeof listStock>): Promise<OperationResult<typeof listStock>> {
    return answer(await this.orders.stock({ ...query, after: keyOf(query.cursor, SKU) }));
  }
}

const answer = <Item>({ items, after }: Page<Item>) => ({
  items,
  ...(after === undefined ? {} : { next: cursorOf(after) }),
});
