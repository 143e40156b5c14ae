import type { Certificate, Delivery } from '@keelson/contracts';
import { Badge, type Tone } from '../parts/badge.tsx';
import { lifeOf } from './expiry.ts';

const LIVES = {
  fresh: { tone: 'good', text: 'valid' },
  soon: { tone: 'warn', text: 'ends soon' },
  now: { tone: 'bad', text: 'about to end' },
  over: { tone: 'idle', text: 'expired' },
} as const;

/** What holds of a certificate now. */
export function StateBadge({ certificate, now }: { readonly certificate: Certificate; readonly now: number }) {
  if (certificate.state === 'revoked') return <Badge tone="bad">revoked</Badge>;
  const { tone, text } = LIVES[certificate.state === 'expired' ? 'over' : lifeOf(certificate, now)];
  return <Badge tone={tone}>{text}</Badge>;
}

const DELIVERIES: Readonly<Record<Delivery['state'], Tone>> = {
  pending: 'idle',
  delivered: 'good',
  conflict: 'bad',
  failed: 'bad',
};

export function DeliveryBadge({ state }: Pick<Delivery, 'state'>) {
  return (
    <Badge tone={DELIVERIES[state]} {...(state === 'pending' ? { icon: 'running' as const } : {})}>
      {state}
    </Badge>
  );
}
