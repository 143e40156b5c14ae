import type { Database, Tx } from '@keelson/persistence';
import {
  extendChain,
  genesis,
  verifyChain,
  type AuditDraft,
  type AuditHead,
  type AuditLink,
  type Verification,
} from './chain.ts';

interface HeadRow {
  readonly sequence: string;
  readonly hash: Buffer;
}

interface LinkRow extends Omit<AuditLink, 'sequence'> {
  readonly sequence: string;
}

const lockHead = 'select sequence, hash from audit_head for update';

const appendLinks = `
  with added as (
    insert into audit_log (sequence, at, actor, team, act, subject, detail, hash)
    select sequence, at, actor, team, act, subject, detail, hash
    from jsonb_to_recordset($1::jsonb) as link(
      sequence bigint, at timestamptz, actor text, team text, act text, subject text, detail jsonb, hash bytea)
  )
  update audit_head set sequence = $2, hash = $3`;

/**
 * Appends to the chain as the last thing of a transaction: from here to the commit nobody else can append, so nothing
 * slow may follow. Whoever does many acts appends them in one transaction (see storage/group-commit.ts).
 */
export async function appendAudit(tx: Tx, drafts: readonly AuditDraft[]): Promise<void> {
  if (drafts.length === 0) return;
  const [head] = await tx.query<HeadRow>(lockHead);
  if (head === undefined) throw new Error('audit_head has no row; the schema is damaged');
  const links = extendChain({ sequence: Number(head.sequence), hash: head.hash }, drafts);
  const last = links.at(-1)!;
  const rows = links.map((link) => ({ ...link, hash: `\\x${link.hash.toString('hex')}` }));
  await tx.query(appendLinks, [JSON.stringify(rows), last.sequence, last.hash]);
}

const pageOfLinks = `
  select sequence, at, actor, team, act, subject, detail, hash from audit_log
  where sequence > $1 and ($2::text is null or team = $2) order by sequence limit $3`;

/** Entries after a sequence, oldest first; of one team, or (`undefined`) of all. */
export async function readAudit(
  database: Database,
  page: { readonly team: string | undefined; readonly after: number; readonly limit: number },
): Promise<AuditLink[]> {
  const rows = await database.query<LinkRow>(pageOfLinks, [page.after, page.team ?? null, page.limit]);
  return rows.map((row) => ({ ...row, sequence: Number(row.sequence) }));
}

/**
 * Verifies the whole stored chain, in pages, and that it ends where the head says: entries cut off at the end would
 * not show otherwise.
 */
export async function verifyStoredAudit(database: Database, pageSize = 1000): Promise<Verification> {
  const [stored] = await database.query<HeadRow>('select sequence, hash from audit_head');
  const end = { sequence: Number(stored?.sequence ?? 0), hash: stored?.hash ?? genesis.hash };
  let head: AuditHead = genesis;
  while (head.sequence < end.sequence) {
    const limit = Math.min(pageSize, end.sequence - head.sequence);
    const links = await readAudit(database, { team: undefined, after: head.sequence, limit });
    const result = verifyChain(links, head);
    if (!result.intact) return result;
    if (links.length === 0) {
      const sequence = head.sequence + 1;
      return { intact: false, sequence, why: `the chain should go on to entry ${end.sequence}`, lastGood: head };
    }
    head = result.head;
  }
  if (head.sequence === end.sequence && !head.hash.equals(end.hash)) {
    return {
      intact: false,
      sequence: head.sequence,
      why: 'the last entry is not the one that the head names',
      lastGood: head,
    };
  }
  return { intact: true, head };
}
