import { Controller, Inject } from '@nestjs/common';
import { certificatesApi, type AuditEntry } from '@keelson/contracts';
import { Database } from '@keelson/persistence';
import { Operation, type OperationInput } from '@keelson/service-kit';
import { cutPage, decodeCursor } from '../inventory/cursor.ts';
import { scopeOf } from '../inventory/team-scope.ts';
import { readAudit, verifyStoredAudit } from './audit-log.ts';
import type { AuditLink } from './chain.ts';

const { listAudit, verifyAudit } = certificatesApi.endpoints;

@Controller()
export class AuditController {
  readonly #database: Database;

  constructor(@Inject(Database) database: Database) {
    this.#database = database;
  }

  @Operation(listAudit)
  async list({ query, principal }: OperationInput<typeof listAudit>) {
    const { cursor, limit } = query;
    const after = Number(decodeCursor('audit', cursor, /^\d{1,15}$/) ?? 0);
    const links = await readAudit(this.#database, { team: scopeOf(principal), after, limit: limit + 1 });
    return cutPage(links, limit, 'audit', (link) => String(link.sequence), toEntry);
  }

  @Operation(verifyAudit)
  async verify(_input: OperationInput<typeof verifyAudit>) {
    const result = await verifyStoredAudit(this.#database);
    const { sequence, hash } = result.intact ? result.head : result.lastGood;
    const found = { intact: result.intact, sequence, hash: hash.toString('hex') };
    return result.intact ? found : { ...found, brokenAt: result.sequence, reason: result.why };
  }
}

const toEntry = ({ sequence, at, actor, team, act, subject, detail, hash }: AuditLink): AuditEntry => ({
  sequence,
  at: at.toISOString(),
  actor,
  team,
  act,
  subject,
  detail,
  hash: hash.toString('hex'),
});
