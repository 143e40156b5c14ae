import { context, type Context } from '@opentelemetry/api';
import { outboxAll, type OutboxEntry } from '@keelson/messaging';
import type { Database, Tx } from '@keelson/persistence';
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

interface TracedAct extends Act {
  /** Of the request that asks for it, so that its messages carry that trace and not that of a neighbour in the group. */
  readonly trace: Context;
}

/** Commits acts, those that come in together in one transaction. */
export class Ledger {
  readonly #group: GroupCommit<TracedAct>;

  constructor(database: Database) {
    this.#group = new GroupCommit<TracedAct>({ database, write: writeActs });
  }

  /** Resolves when the act is committed; rejects when none of it happened, or the connection was lost meanwhile. */
  commit(act: Act): Promise<void> {
    return this.#group.commit({ ...act, trace: context.active() });
  }

  settled(): Promise<void> {
    return this.#group.settled();
  }
}

async function writeActs(tx: Tx, acts: readonly TracedAct[]): Promise<void> {
  await storeCertificates(
    tx,
    acts.flatMap(({ certificate }) => certificate ?? []),
  );
  for (const { trace, also, messages } of acts) {
    await context.with(trace, async () => {
      await also?.(tx);
      await outboxAll(tx, messages);
    });
  }
  await appendAudit(
    tx,
    acts.flatMap(({ audit }) => audit),
  );
}
