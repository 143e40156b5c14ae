import { byEnd } from '../certificates/by-end.ts';
import { DeliveryBadge } from '../certificates/states.tsx';
import { LifeBar } from '../certificates/life-bar.tsx';
import { isReplaced, namesOf } from '../certificates/expiry.ts';
import { Empty } from '../parts/reading.tsx';
import { Time } from '../parts/time.tsx';
import { Link } from '../routing/link.tsx';
import { addressOf } from '../routing/match.ts';
import { Card } from './card.tsx';
import type { HomeReadings } from './readings.ts';

/** How many certificates and deliveries home names. */
const SHOWN = 3;

export function CertificatesCard({ part }: { readonly part: HomeReadings['certificates'] }) {
  return (
    <Card title="Certificates" to={addressOf('certificates')} link="All certificates" part={part}>
      {({ ending, deliveries }) => {
        const next = byEnd(ending.filter((one) => !isReplaced(one, ending))).slice(0, SHOWN);
        return (
          <>
            {next.length === 0 ? <Empty icon="good" title="None ends within 30 days" /> : null}
            <ul className="ending">
              {next.map((certificate) => (
                <li key={certificate.id}>
                  <p className="release-head">
                    <Link to={addressOf('certificate', certificate)} className="row-link">
                      {namesOf(certificate).join(', ')}
                    </Link>
                    <span className="quiet small">
                      <Time at={certificate.notAfter} />
                    </span>
                  </p>
                  <LifeBar certificate={certificate} />
                </li>
              ))}
            </ul>
            {deliveries.length === 0 ? null : (
              <ul className="card-foot small plain">
                {deliveries.slice(0, SHOWN).map(({ id, secret, state }) => (
                  <li key={id}>
                    Secret{' '}
                    <Link to={`${addressOf('certificates')}#deliveries`}>
                      {secret.namespace}/{secret.name}
                    </Link>{' '}
                    <DeliveryBadge state={state} />
                  </li>
                ))}
              </ul>
            )}
          </>
        );
      }}
    </Card>
  );
}
