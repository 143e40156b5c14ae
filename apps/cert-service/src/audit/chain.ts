import { createHash } from 'node:crypto';
import { canonicalJson, type Json } from './canonical-json.ts';

/** What is to be recorded: who did what, to what, for which team. */
export interface AuditDraft {
  readonly at: Date;
  readonly actor: string;
  readonly team: string;
  /** `certificate.issued`, `certificate.revoked`, `delivery.created`, ... */
  readonly act: string;
  /** Id of what it was done to. */
  readonly subject: string;
  readonly detail: Readonly<Record<string, Json | undefined>>;
}

/** A link of the chain. */
export interface AuditLink extends AuditDraft {
  readonly sequence: number;
  readonly hash: Buffer;
}

/** Where the chain ends: sequence of the last entry (0 where there is none) and its hash. */
export interface AuditHead {
  readonly sequence: number;
  readonly hash: Buffer;
}

/** Before the first entry: sequence 0, 32 zero octets. */
export const genesis: AuditHead = { sequence: 0, hash: Buffer.alloc(32) };

/** SHA-256 over the canonical JSON of the entry and the hash of the one before. */
export function linkHash(previous: Buffer, sequence: number, entry: AuditDraft): Buffer {
  const { at, actor, team, act, subject, detail } = entry;
  const text = canonicalJson({
    previous: previous.toString('hex'),
    sequence,
    at: at.toISOString(),
    actor,
    team,
    act,
    subject,
    detail,
  });
  return createHash('sha256').update(text, 'utf8').digest();
}

/** Links drafts to a head, in their order. */
export function extendChain(head: AuditHead, drafts: readonly AuditDraft[]): AuditLink[] {
  let { sequence, hash } = head;
  return drafts.map((draft) => {
    sequence += 1;
    hash = linkHash(hash, sequence, draft);
    return { ...draft, sequence, hash };
  });
}

/** What a verification found: intact up to a head, or where the chain is broken and how. */
export type Verification =
  | { readonly intact: true; readonly head: AuditHead }
  | { readonly intact: false; readonly sequence: number; readonly why: string; readonly lastGood: AuditHead };

/**
 * Follows the chain from a trusted head (the beginning, or an earlier verification). An entry that was altered, taken
 * out, put in or moved is found at the first sequence where it shows.
 */
export function verifyChain(links: Iterable<AuditLink>, from: AuditHead = genesis): Verification {
  let head = from;
  for (const link of links) {
    const expected = head.sequence + 1;
    if (link.sequence !== expected) {
      const why = `entry ${expected} is missing: the next one there is ${link.sequence}`;
      return { intact: false, sequence: expected, why, lastGood: head };
    }
    if (!linkHash(head.hash, link.sequence, link).equals(link.hash)) {
      const why = `entry ${link.sequence} does not have the hash that its content and the entry before it give`;
      return { intact: false, sequence: link.sequence, why, lastGood: head };
    }
    head = { sequence: link.sequence, hash: link.hash };
  }
  return { intact: true, head };
}
