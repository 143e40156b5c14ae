import type { JournalEvent } from '@keelson/contracts';
import { useRead } from '../api/use-read.ts';
import { Copy } from '../parts/copy.tsx';
import { Elsewhere } from '../parts/elsewhere.tsx';
import { Facts } from '../parts/facts.tsx';
import { Page, Section } from '../parts/page.tsx';
import { Empty, Show } from '../parts/reading.tsx';
import { Instant } from '../parts/time.tsx';
import { Link } from '../routing/link.tsx';
import { addressOf } from '../routing/match.ts';
import { usePermission, useSession } from '../session/session.ts';
import { TypeBadge } from './event-parts.tsx';
import { objectText } from './object.ts';

/** One entry of the journal with everything that is known of it. */
export function EventPage({ id }: { readonly id: string }) {
  const { clients } = useSession();
  const permission = usePermission('events', 'events:read');
  const event = useRead(`event/${id}`, (signal) => clients.events.getEvent({ params: { id }, signal }), {
    enabled: permission.allowed,
  });
  return (
    <Page
      title={event.data?.reason ?? 'Event'}
      back={<Link to={addressOf('events')}>Events</Link>}
      lead={event.data === undefined ? undefined : <Lead event={event.data} />}
    >
      {permission.allowed ? (
        <Show reading={event} what="the event" lines={8}>
          {(found) => <Detail event={found} />}
        </Show>
      ) : (
        <Empty icon="info" title={permission.reason} />
      )}
      <Elsewhere
        api={[`GET /v1/events/${id}`]}
        cli={[`keelson events search --name ${event.data?.object.name ?? 'NAME'} -o json`]}
      />
    </Page>
  );
}

function Lead({ event }: { readonly event: JournalEvent }) {
  return (
    <>
      <TypeBadge type={event.type} /> {objectText(event.object)}
    </>
  );
}

function Detail({ event }: { readonly event: JournalEvent }) {
  const { object, labels } = event;
  const json = JSON.stringify(event, undefined, 2);
  return (
    <>
      <p className="quote">{event.message}</p>
      <Section title="What happened">
        <Facts
          facts={{
            'First seen': <Instant at={event.firstSeen} />,
            'Last seen': <Instant at={event.lastSeen} />,
            Received: <Instant at={event.receivedAt} />,
            Count: `${event.count} in all, ${event.delta} new in this entry`,
            Reporter: event.reporter,
            Source: event.source,
          }}
        />
      </Section>
      <Section title="To what">
        <Facts
          facts={{
            Object: (
              <Link
                to={addressOf('events', undefined, {
                  kind: object.kind,
                  name: object.name,
                  namespace: object.namespace,
                })}
              >
                {objectText(object)}
              </Link>
            ),
            'API version': object.apiVersion,
            UID: object.uid === undefined ? undefined : <code>{object.uid}</code>,
            Node: event.node,
            Cluster: event.cluster,
            Labels:
              Object.keys(labels).length === 0 ? undefined : (
                <ul className="labels">
                  {Object.entries(labels).map(([name, value]) => (
                    <li key={name}>
                      <code>
                        {name}={value}
                      </code>
                    </li>
                  ))}
                </ul>
              ),
          }}
        />
      </Section>
      <Section title="As JSON" aside={<Copy text={json} what="event as JSON" />}>
        <pre className="block" role="group" tabIndex={0} aria-label="The event as JSON">
          {json}
        </pre>
      </Section>
    </>
  );
}
