import type { Verdict } from '@keelson/contracts';
import { addressOf } from '../routing/match.ts';
import { counted, type Finding } from './finding.ts';

const KINDS = [
  { kind: 'lost', title: (count: number) => `${counted(count, 'order')} lost` },
  { kind: 'doubled', title: (count: number) => `${counted(count, 'order')} carried out twice` },
  { kind: 'stuck', title: (count: number) => `${counted(count, 'order')} stuck` },
  { kind: 'negative', title: (count: number) => `Stock of ${counted(count, 'article')} does not add up` },
] as const;

/** How many of them are named; the page has all. */
const NAMED = 3;

/** What the verifier found in the books. */
export function orderFindings(verdict: Verdict): Finding[] {
  return KINDS.flatMap(({ kind, title }) => {
    const ids = verdict[kind];
    if (ids.length === 0) return [];
    const reasons = (verdict.findings ?? []).filter((finding) => finding.kind === kind);
    const named =
      reasons.length > 0 ? reasons.slice(0, NAMED).map(({ id, reason }) => `${id}: ${reason}`) : ids.slice(0, NAMED);
    const rest = ids.length - named.length;
    return [
      {
        key: `orders/${kind}`,
        severity: 'critical' as const,
        title: title(ids.length),
        detail: [...named, ...(rest > 0 ? [`and ${rest} more`] : [])].join('; '),
        to: addressOf('orders'),
        ...(verdict.readAt === undefined ? {} : { since: verdict.readAt }),
      },
    ];
  });
}
