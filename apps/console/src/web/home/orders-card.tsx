import type { Verdict } from '@keelson/contracts';
import { Account } from '../orders/account.tsx';
import { addressOf } from '../routing/match.ts';
import { Card } from './card.tsx';
import type { Part } from './readings.ts';

export function OrdersCard({ part }: { readonly part: Part<Verdict> }) {
  return (
    <Card title="Orders" to={addressOf('orders')} link="All orders" part={part}>
      {(verdict) => <Account verdict={verdict} />}
    </Card>
  );
}
