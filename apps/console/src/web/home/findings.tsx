import { Icon } from '../parts/icon.tsx';
import { Skeleton } from '../parts/reading.tsx';
import { Time } from '../parts/time.tsx';
import { Link } from '../routing/link.tsx';
import type { Overview } from './all-findings.ts';
import { counted } from './finding.ts';

const TONES = { critical: 'bad', warning: 'warn', notice: 'info' } as const;

/** The list of what is wrong, each with its reason and a way to its page. */
export function Findings({ overview }: { readonly overview: Overview }) {
  const { findings, unseen, reading } = overview;
  return (
    <section className="findings" aria-label="What is wrong">
      <p className="unseen" role="status">
        {reading ? 'Looking' : findings.length === 0 ? 'Nothing is wrong' : counted(findings.length, 'finding')}
      </p>
      {findings.length === 0 && reading ? <Skeleton what="what is wrong" lines={2} /> : null}
      {findings.length === 0 && !reading ? (
        <div className="all-well">
          <Icon name="good" />
          <div>
            <p className="all-well-title">
              {unseen.length === 0 ? 'Nothing is wrong' : 'Nothing wrong that can be seen'}
            </p>
            <p className="quiet">
              Services, releases, sinks, orders, queues and certificates are looked at all the time.
            </p>
          </div>
        </div>
      ) : null}
      {findings.length === 0 ? null : (
        <ul className="finding-list">
          {findings.map(({ key, severity, title, detail, to, since }) => (
            <li key={key} data-tone={TONES[severity]}>
              <Icon name={TONES[severity]} />
              <div>
                <p className="finding-title">
                  <span className="unseen">{severity}: </span>
                  <Link to={to} className="row-link">
                    {title}
                  </Link>
                </p>
                <p className="finding-detail">{detail}</p>
              </div>
              <span className="quiet small">{since === undefined ? null : <Time at={since} />}</span>
            </li>
          ))}
        </ul>
      )}
      {unseen.length === 0 ? null : (
        <ul className="unseen-areas quiet small">
          {unseen.map(({ area, reason }) => (
            <li key={area}>
              Not looked at: {area}. {reason}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
