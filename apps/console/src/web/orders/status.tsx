import type { OrderStatus } from '@keelson/contracts';
import { Badge, type Tone } from '../parts/badge.tsx';

const TONES: Readonly<Record<OrderStatus, Tone>> = { accepted: 'info', confirmed: 'good', compensated: 'warn' };

export function StatusBadge({ status }: { readonly status: OrderStatus }) {
  return (
    <Badge tone={TONES[status]} icon={status === 'accepted' ? 'running' : TONES[status]}>
      {status}
    </Badge>
  );
}
