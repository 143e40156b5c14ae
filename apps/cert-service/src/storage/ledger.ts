import { outboxAll, type OutboxEntry } from '@keelson/messaging';
import type { Database, Tx } from '@keelson/persistence';
import { traceHeaders } from '@keelson/service-kit';
import { appendAudit } from '../audit/audit-log.ts';
import type { AuditDraft } from '../audit/chain.ts';
import { storeCertificates, type NewCertificate } from '../inventory/certificate-store.ts';
import { GroupCommit } from './group-commit.ts';

/** Something that was done, all of it in one transaction: rows, messages, audit entry. */
export interface Act {
  readonly certificate?: NewCertificate | undefined;
  readonly messages: readonly OutboxEntry[];
  readonly audit: readonly AuditDraft[];
  /** What else belongs to it. Runs after the certificate is stored; must not depend on the order of acts. */
  readonly also?: ((tx: Tx) => Promise<void>) | undefined;
}

/** Commits acts, those that come in together in one transaction: a statement each for rows, messages and audit. */
export class Ledger {
  readonly #group: GroupCommit<Act>;

  constructor(database: Database) {
    this.#group = new GroupCommit<Act>({ database, write: writeActs });
  }

  /** Resolves when the act is committed; rejects when none of it happened, or the connection was lost meanwhile. */
  commit(act: Act): Promise<void> {
    // The trace is that of the request that asks for it, not that of a neighbour in the group.
    const { traceparent } = traceHeaders();
    return this.#group.commit({ ...act, messages: act.messages.map((message) => ({ traceparent, ...message })) });
  }
}

async function writeActs(tx: Tx, acts: readonly Act[]): Promise<void> {
  await storeCertificates(
    tx,
    acts.flatMap(({ certificate }) => certificate ?? []),
  );
  for (const { also } of acts) await also?.(tx);
  await outboxAll(
    tx,
    acts.flatMap(({ messages }) => messages),
  );
  await appendAudit(
    tx,
    acts.flatMap(({ audit }) => audit),
  );
}
