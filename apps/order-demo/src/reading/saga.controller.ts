import { Controller, Inject } from '@nestjs/common';
import { ordersApi, type Saga } from '@keelson/contracts';
import { type SagaSnapshot, viewOf } from '@keelson/messaging/saga';
import { Database } from '@keelson/persistence';
import { CallerError, Operation, type OperationInput, type OperationResult } from '@keelson/service-kit';
import type { OrderFacts } from '../fulfilment/order-saga.ts';
import { OrderSagas } from '../fulfilment/order-sagas.ts';
import { cursorOf, keyOf } from './cursor.ts';
import { paged } from './orders.ts';

const { getOrderSaga, listSagas } = ordersApi.endpoints;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

// Team '*' sees all. Newest first is by key: the ids of orders begin with their time.
const pageOfKeys = /* sql */ `
SELECT s.key FROM saga s JOIN orders o ON o.id = s.key::uuid
 WHERE s.name = 'order' AND ($1 = '*' OR o.team = $1) AND ($2::text IS NULL OR s.key < $2) AND ($3::text IS NULL OR s.state = $3)
 ORDER BY s.key DESC LIMIT $4`;
const isTheirs = /* sql */ `SELECT 1 FROM orders WHERE id = $2 AND ($1 = '*' OR team = $1)`;

@Controller()
export class SagaController {
  constructor(
    @Inject(Database) private readonly database: Database,
    @Inject(OrderSagas) private readonly sagas: OrderSagas,
  ) {}

  @Operation(getOrderSaga)
  async get({ params: { id }, principal }: OperationInput<typeof getOrderSaga>): Promise<Saga> {
    const [theirs] = await this.database.query(isTheirs, [principal.team, id]);
    if (!theirs) throw new CallerError('not-found', { detail: `There is no order ${id}.` });
    const saga = await this.sagas.find(this.database, id);
    if (!saga) {
      throw new CallerError('not-found', {
        detail: `The process of order ${id} has not begun: its message is still on the way to the inventory role.`,
      });
    }
    return this.#view(saga);
  }

  @Operation(listSagas)
  async list({ query, principal }: OperationInput<typeof listSagas>): Promise<OperationResult<typeof listSagas>> {
    const after = keyOf(query.cursor, UUID);
    const rows = await this.database.query<{ key: string }>(pageOfKeys, [
      principal.team,
      after ?? null,
      query.state ?? null,
      query.limit + 1,
    ]);
    const page = paged(rows, query.limit, ({ key }) => key);
    const sagas = await Promise.all(page.items.map(({ key }) => this.sagas.find(this.database, key)));
    return {
      items: sagas.flatMap((saga) => (saga ? [this.#view(saga)] : [])),
      ...(page.after === undefined ? {} : { next: cursorOf(page.after) }),
    };
  }

  #view(saga: SagaSnapshot<OrderFacts>): Saga {
    const definition = this.sagas.definitionOf(saga) ?? this.sagas.newest;
    return viewOf(definition, saga) as Saga;
  }
}
