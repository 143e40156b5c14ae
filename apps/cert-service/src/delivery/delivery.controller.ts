import { Controller, Inject } from '@nestjs/common';
import { certificatesApi } from '@keelson/contracts';
import { Database } from '@keelson/persistence';
import { CallerError, Operation, type OperationInput } from '@keelson/service-kit';
import { cutPage, decodeCursor, uuidShape } from '../inventory/cursor.ts';
import { scopeOf } from '../inventory/team-scope.ts';
import { Deliveries } from './deliveries.ts';
import { toDelivery } from './delivery-row.ts';
import { findDelivery, listDeliveries } from './delivery-store.ts';

const { createDelivery, deleteDelivery, getDelivery, listDeliveries: list } = certificatesApi.endpoints;

@Controller()
export class DeliveryController {
  readonly #database: Database;
  readonly #deliveries: Deliveries;

  constructor(@Inject(Database) database: Database, @Inject(Deliveries) deliveries: Deliveries) {
    this.#database = database;
    this.#deliveries = deliveries;
  }

  @Operation(createDelivery)
  async create({ body, principal, idempotency, setHeader }: OperationInput<typeof createDelivery>) {
    const also = idempotency && idempotency.storeIn.bind(idempotency);
    const delivery = await this.#deliveries.create(body, principal, also);
    setHeader('location', `/v1/deliveries/${delivery.id}`);
    return delivery;
  }

  @Operation(list)
  async list({ query, principal }: OperationInput<typeof list>) {
    const { cursor, limit } = query;
    const before = decodeCursor('deliveries', cursor, uuidShape);
    const rows = await listDeliveries(this.#database, scopeOf(principal), { before, limit: limit + 1 });
    return cutPage(rows, limit, 'deliveries', (row) => row.id, toDelivery);
  }

  @Operation(getDelivery)
  async get({ params, principal }: OperationInput<typeof getDelivery>) {
    const row = await findDelivery(this.#database, scopeOf(principal), params.id);
    if (row === undefined) throw new CallerError('not-found', { detail: `There is no delivery ${params.id}.` });
    return toDelivery(row);
  }

  @Operation(deleteDelivery)
  async end({ params, principal }: OperationInput<typeof deleteDelivery>) {
    await this.#deliveries.end(scopeOf(principal), params.id, principal);
  }
}
