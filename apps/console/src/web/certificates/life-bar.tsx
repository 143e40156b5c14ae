import type { Certificate } from '@keelson/contracts';
import { useNow } from '../parts/use-now.ts';
import { lifeOf, lived } from './expiry.ts';

/** How much of its life is over. */
export function LifeBar({ certificate }: { readonly certificate: Certificate }) {
  const now = useNow();
  const share = lived(certificate, now);
  return (
    <span
      className="life"
      data-life={certificate.state === 'revoked' ? 'over' : lifeOf(certificate, now)}
      role="img"
      aria-label={`${Math.round(share * 100)} % of its life is over`}
    >
      <span style={{ width: `${share * 100}%` }} />
    </span>
  );
}
