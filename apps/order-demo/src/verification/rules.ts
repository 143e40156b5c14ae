import type { Verdict } from '@keelson/contracts';
import type { Evidence, OpenOrder } from './evidence.ts';

/** One fault, named by the id of the order (or its document number, or the SKU) and why. */
export interface Finding {
  kind: 'lost' | 'doubled' | 'stuck' | 'negative';
  id: string;
  reason: string;
}

type Rule = (evidence: Evidence, options: { graceMs: number }) => Finding[];

/** An order that someone was told is accepted must be there. */
const promisedButMissing: Rule = ({ missing }) =>
  missing.map((id) => ({ kind: 'lost', id, reason: 'it was answered as accepted, but there is no such order' }));

/** Numbers are gapless, so a hole means that an order's row is gone. */
const holesInTheNumbers: Rule = ({ holes }) =>
  holes.map((number) => ({ kind: 'lost', id: number, reason: 'its number was given out, but no order has it' }));

/** Work done for an order that is not there. */
const effectsWithoutOrder: Rule = ({ orphans }) =>
  orphans.map(({ orderId, what }) => ({
    kind: 'lost',
    id: orderId,
    reason: `there is a ${what} for it, but no such order`,
  }));

/** Past the grace time an open order is stuck while something can still end it, and lost when nothing can. */
const openTooLong: Rule = ({ open, readAt }, { graceMs }) =>
  open
    .filter((order) => readAt.getTime() - order.acceptedAt.getTime() > graceMs)
    .map((order) => {
      const coming = whatCanEndIt(order, readAt, graceMs);
      return coming
        ? { kind: 'stuck', id: order.id, reason: `open since ${order.acceptedAt.toISOString()}: ${coming}` }
        : {
            kind: 'lost',
            id: order.id,
            reason: `open since ${order.acceptedAt.toISOString()}, and nothing is left that could end it`,
          };
    });

function whatCanEndIt(order: OpenOrder, now: Date, graceMs: number): string | undefined {
  if (order.unsent > 0) return `${order.unsent} of its messages are still in the outbox`;
  if (order.missing.length === 0) return 'everything is done, the confirmation is due';
  // The sweep has the grace time too: it may just be about to run.
  if (now.getTime() - order.deadline.getTime() < graceMs)
    return `no ${order.missing.join(', no ')} yet; compensated at ${order.deadline.toISOString()}`;
  return undefined;
}

/** A confirmed order has all that it was confirmed for. */
const confirmedWithoutEffect: Rule = ({ incomplete }) =>
  incomplete.map(({ orderId, what }) => ({
    kind: 'lost',
    id: orderId,
    reason: `it is confirmed, but there is no ${what} for it`,
  }));

/** A compensated order keeps nothing: what was granted is withdrawn again. */
const notWithdrawn: Rule = ({ notWithdrawn, readAt }, { graceMs }) =>
  notWithdrawn
    .filter(({ endedAt }) => readAt.getTime() - endedAt.getTime() > graceMs)
    .map(({ orderId, what }) => ({
      kind: 'stuck',
      id: orderId,
      reason: `it is compensated, but its ${what} was not withdrawn`,
    }));

const twice: Rule = ({ duplicates }) =>
  duplicates.map(({ id, what, count }) => ({ kind: 'doubled', id, reason: `${count} ${what} where one is allowed` }));

/** Stock is never below zero and adds up, on its own and against the orders. */
const stock: Rule = ({ stock }) =>
  stock.flatMap((article) => {
    const faults: string[] = [];
    for (const name of ['available', 'reserved', 'sold'] as const) {
      if (article[name] < 0n) faults.push(`${name} is ${article[name]}`);
    }
    const sum = article.available + article.reserved + article.sold;
    if (sum !== article.received) faults.push(`available + reserved + sold is ${sum}, received ${article.received}`);
    if (article.reserved !== article.inOpenOrders)
      faults.push(`reserved is ${article.reserved}, open orders hold ${article.inOpenOrders}`);
    if (article.sold !== article.inConfirmedOrders)
      faults.push(`sold is ${article.sold}, confirmed orders hold ${article.inConfirmedOrders}`);
    return faults.map((reason): Finding => ({ kind: 'negative', id: article.sku, reason }));
  });

const rules: readonly Rule[] = [
  promisedButMissing,
  holesInTheNumbers,
  effectsWithoutOrder,
  openTooLong,
  confirmedWithoutEffect,
  notWithdrawn,
  twice,
  stock,
];

/** The verdict over one snapshot of the database. Each list holds an id once; `findings` says why. */
export function judge(evidence: Evidence, options: { graceMs: number }): Verdict {
  const findings = rules.flatMap((rule) => rule(evidence, options));
  const ids = (kind: Finding['kind']) => [
    ...new Set(findings.filter((finding) => finding.kind === kind).map(({ id }) => id)),
  ];
  return {
    ...evidence.counts,
    lost: ids('lost'),
    doubled: ids('doubled'),
    stuck: ids('stuck'),
    negative: ids('negative'),
    findings,
    readAt: evidence.readAt.toISOString(),
    ok: findings.length === 0,
  };
}

/** The verdict as one line: `1000 accepted, 990 confirmed, 10 compensated; 0 lost, 0 doubled, 0 stuck, 0 negative`. */
export function verdictLine(verdict: Verdict): string {
  const { accepted, confirmed, compensated, lost, doubled, stuck, negative } = verdict;
  return (
    `${accepted} accepted, ${confirmed} confirmed, ${compensated} compensated; ` +
    `${lost.length} lost, ${doubled.length} doubled, ${stuck.length} stuck, ${negative.length} negative`
  );
}
