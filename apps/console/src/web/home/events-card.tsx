import type { JournalEvent } from '@keelson/contracts';
import { groupEvents } from '../events/groups.ts';
import { objectText } from '../events/object.ts';
import { Badge } from '../parts/badge.tsx';
import { Empty } from '../parts/reading.tsx';
import { Time } from '../parts/time.tsx';
import { Link } from '../routing/link.tsx';
import { addressOf } from '../routing/match.ts';
import { Card } from './card.tsx';
import { counted } from './finding.ts';
import type { HomeReadings, Part } from './readings.ts';

/** How many objects with Warnings home names. */
const SHOWN = 4;

interface EventsCardProps {
  readonly part: Part<readonly JournalEvent[]>;
  readonly sinks: HomeReadings['sinks'];
}

export function EventsCard({ part, sinks }: EventsCardProps) {
  const to = addressOf('events', undefined, { type: 'Warning' });
  return (
    <Card title="Warnings, last 15 minutes" to={to} link="All events" part={part}>
      {(events) => {
        const groups = groupEvents(events);
        return (
          <>
            {groups.length === 0 ? (
              <Empty icon="good" title="No Warning event" />
            ) : (
              <ul className="warnings">
                {groups.slice(0, SHOWN).map(({ latest, entries }) => (
                  <li key={latest.id}>
                    <p className="release-head">
                      <Link to={addressOf('event', { id: latest.id })} className="row-link">
                        {latest.reason}
                      </Link>
                      <span className="quiet small">
                        {entries > 1 ? `${entries}×, ` : ''}
                        <Time at={latest.lastSeen} />
                      </span>
                    </p>
                    <p className="small clip">{objectText(latest.object)}</p>
                    <p className="quiet small clip">{latest.message}</p>
                  </li>
                ))}
              </ul>
            )}
            {groups.length > SHOWN ? (
              <p className="small">
                <Link to={to}>and {groups.length - SHOWN} more</Link>
              </p>
            ) : null}
            <SinkLine sinks={sinks} />
          </>
        );
      }}
    </Card>
  );
}

/** Whether what happens is told to anybody. */
function SinkLine({ sinks: { data } }: Pick<EventsCardProps, 'sinks'>) {
  if (data === undefined || data.sinks.length === 0) return null;
  const behind = data.sinks.reduce((sum, sink) => sum + sink.lagEvents, 0);
  const troubled = data.sinks.filter(({ state }) => state !== 'delivering').length;
  return (
    <p className="card-foot small">
      <Link to={addressOf('sinks')}>{counted(data.sinks.length, 'sink')}</Link>{' '}
      {troubled > 0 ? (
        <Badge tone="bad">{troubled} not delivering</Badge>
      ) : (
        <Badge tone="good">{behind === 0 ? 'all delivered' : `${counted(behind, 'event')} to go`}</Badge>
      )}
    </p>
  );
}
