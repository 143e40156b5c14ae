import { Controller, Inject } from '@nestjs/common';
import { certificatesApi } from '@keelson/contracts';
import { Database } from '@keelson/persistence';
import { CallerError, CLOCK, Operation, type Clock, type OperationInput } from '@keelson/service-kit';
import { toCertificate } from './certificate-row.ts';
import { findCertificate, listCertificates } from './certificate-store.ts';
import { cutPage, decodeCursor, uuidShape } from './cursor.ts';
import { scopeOf } from './team-scope.ts';

const { getCertificate, listCertificates: list } = certificatesApi.endpoints;

@Controller()
export class InventoryController {
  readonly #database: Database;
  readonly #clock: Clock;

  constructor(@Inject(Database) database: Database, @Inject(CLOCK) clock: Clock) {
    this.#database = database;
    this.#clock = clock;
  }

  @Operation(list)
  async list({ query, principal }: OperationInput<typeof list>) {
    const { cursor, limit, ...filter } = query;
    const before = decodeCursor('certificates', cursor, uuidShape);
    const now = this.#clock.now();
    const page = { before, limit: limit + 1, now };
    const rows = await listCertificates(this.#database, scopeOf(principal), filter, page);
    return cutPage(
      rows,
      limit,
      'certificates',
      (row) => row.id,
      (row) => toCertificate(row, now),
    );
  }

  @Operation(getCertificate)
  async get({ params, principal }: OperationInput<typeof getCertificate>) {
    const row = await findCertificate(this.#database, scopeOf(principal), params.id);
    if (row === undefined) throw new CallerError('not-found', { detail: `There is no certificate ${params.id}.` });
    return toCertificate(row, this.#clock.now());
  }
}
