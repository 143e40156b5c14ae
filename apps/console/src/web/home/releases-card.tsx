import type { Canary } from '@keelson/contracts';
import { PhaseBadge } from '../canaries/phase.tsx';
import { Traffic } from '../canaries/traffic.tsx';
import { Empty } from '../parts/reading.tsx';
import { Time } from '../parts/time.tsx';
import { Link } from '../routing/link.tsx';
import { addressOf } from '../routing/match.ts';
import { Card } from './card.tsx';
import type { Part } from './readings.ts';

/** How many releases home shows; those that move come first. */
const SHOWN = 4;
const MOVING: readonly Canary['phase'][] = ['RollingBack', 'Progressing', 'Promoting', 'Paused', 'Pending'];

export function ReleasesCard({ part }: { readonly part: Part<readonly Canary[]> }) {
  return (
    <Card title="Releases" to={addressOf('canaries')} link="All canaries" part={part}>
      {(canaries) =>
        canaries.length === 0 ? (
          <Empty icon="canary" title="No canary yet">
            <code>keelson canary apply -f canary.yaml</code> makes one.
          </Empty>
        ) : (
          <ul className="releases">
            {movingFirst(canaries)
              .slice(0, SHOWN)
              .map((canary) => (
                <li key={canary.id}>
                  <p className="release-head">
                    <Link to={addressOf('canary', canary)} className="row-link">
                      {canary.namespace}/{canary.name}
                    </Link>
                    <PhaseBadge phase={canary.phase} />
                  </p>
                  {canary.phase === 'Refused' ? null : <Traffic canary={canary} />}
                  <p className="quiet small">
                    {canary.reason} · <Time at={canary.since} />
                  </p>
                </li>
              ))}
          </ul>
        )
      }
    </Card>
  );
}

function movingFirst(canaries: readonly Canary[]): Canary[] {
  const rank = ({ phase }: Canary): number => {
    const at = MOVING.indexOf(phase);
    return at < 0 ? MOVING.length : at;
  };
  return canaries.toSorted((a, b) => rank(a) - rank(b) || b.since.localeCompare(a.since));
}
