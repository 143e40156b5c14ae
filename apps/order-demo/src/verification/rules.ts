import type { Verdict } from '@keelson/contracts';
import type { Evidence, OpenOrder } from './evidence.ts';

/** One fault, named by the id of the order (or its document number, or the SKU) and why. */
export interface Finding {
  kind: 'lost' | 'doubled' | 'stuck' | 'negative';
  id: string;
  reason: string;
}

export interface JudgeOptions {
  graceMs: number;
  /** The saga's: an order whose saga has not begun by then will not end by itself. */
  deadlineMs: number;
}

type Rule = (evidence: Evidence, options: JudgeOptions) => Finding[];

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
const openTooLong: Rule = ({ open, readAt }, { graceMs, deadlineMs }) =>
  open
    .filter((order) => readAt.getTime() - order.acceptedAt.getTime() > graceMs)
    .map((order) => {
      const coming = whatCanEndIt(order, readAt, graceMs + deadlineMs);
      return coming
        ? { kind: 'stuck', id: order.id, reason: `open since ${order.acceptedAt.toISOString()}: ${coming}` }
        : {
            kind: 'lost',
            id: order.id,
            reason: `open since ${order.acceptedAt.toISOString()}, and nothing is left that could end it`,
          };
    });

function whatCanEndIt({ saga, unsent, acceptedAt }: OpenOrder, now: Date, patienceMs: number): string | undefined {
  if (unsent > 0) return `${unsent} of its messages are still in the outbox`;
  if (saga === undefined) {
    return now.getTime() - acceptedAt.getTime() < patienceMs
      ? 'its saga has not begun; look into order-demo.inventory and its parking lot'
      : undefined;
  }
  if (saga.state === 'completed' || saga.state === 'compensated') return undefined;
  const what = saga.state === 'running' ? 'waits for' : 'takes back';
  if (saga.waitingFor !== undefined) return `its saga waits for the inventory role: ${saga.waitingFor} is due`;
  const due = saga.dueAt ? `; times out at ${saga.dueAt.toISOString()}` : '';
  return `its saga ${what} ${saga.openSteps.join(', ')}${due}`;
}

/** Order and saga end alike. */
const endsDiffer: Rule = ({ contradictions }) =>
  contradictions.map(({ orderId, status, sagaState }) => ({
    kind: 'stuck',
    id: orderId,
    reason: `it is ${status}, but its saga is ${sagaState}`,
  }));

/** Money is taken once for an order, in the amount it says. */
const chargedWrongly: Rule = ({ charged }) =>
  charged.flatMap(({ orderId, payments, cents, status, totalCents }): Finding[] => {
    if (payments > 1) return [{ kind: 'doubled', id: orderId, reason: `${payments} payments where one is allowed` }];
    if (status === undefined)
      return [{ kind: 'lost', id: orderId, reason: `${cents} cents were taken for it, but there is no such order` }];
    if (cents !== totalCents)
      return [{ kind: 'negative', id: orderId, reason: `${cents} cents were taken for it, it costs ${totalCents}` }];
    return [];
  });

/** Money that was taken for a compensated order is given back. */
const notRefunded: Rule = ({ charged, readAt }, { graceMs }) =>
  charged
    .filter(({ status, endedAt }) => status === 'compensated' && readAt.getTime() - endedAt!.getTime() > graceMs)
    .map(({ orderId, cents }) => ({
      kind: 'stuck',
      id: orderId,
      reason: `it is compensated, but ${cents} cents were not given back`,
    }));

/** A confirmed order is paid, in the provider's books too. */
const confirmedUnpaid: Rule = ({ unpaid }) =>
  unpaid.map((id) => ({
    kind: 'lost',
    id,
    reason: 'it is confirmed, but the payment provider has taken no money for it',
  }));

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
  endsDiffer,
  chargedWrongly,
  notRefunded,
  confirmedUnpaid,
  confirmedWithoutEffect,
  notWithdrawn,
  twice,
  stock,
];

/** The verdict over one snapshot of the database. Each list holds an id once; `findings` says why. */
export function judge(evidence: Evidence, options: JudgeOptions): Verdict {
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
