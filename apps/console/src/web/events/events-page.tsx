import type { JournalEvent } from '@keelson/contracts';
import { useList } from '../api/use-list.ts';
import { Elsewhere } from '../parts/elsewhere.tsx';
import { Filters, MoreFilters, SelectFilter, SwitchFilter, TextFilter } from '../parts/filters.tsx';
import { ListView } from '../parts/list-view.tsx';
import { Page } from '../parts/page.tsx';
import type { Column } from '../parts/table.tsx';
import { thisMinute } from '../parts/relative.ts';
import { Time } from '../parts/time.tsx';
import { Link } from '../routing/link.tsx';
import { useQuery } from '../routing/location.ts';
import { addressOf, withQuery } from '../routing/match.ts';
import { usePermission, useSession } from '../session/session.ts';
import { TypeBadge } from './event-parts.tsx';
import { apiFilter, commandLine, filterOf, SINCE, SOURCES } from './filter.ts';
import { groupEvents } from './groups.ts';
import { objectText } from './object.ts';

interface Row {
  readonly latest: JournalEvent;
  readonly entries: number;
}

const COLUMNS: readonly Column<Row>[] = [
  {
    title: 'Reason',
    kind: 'lead',
    cell: ({ latest }) => (
      <Link to={addressOf('event', { id: latest.id })} className="row-link">
        {latest.reason}
      </Link>
    ),
  },
  { title: 'Type', cell: ({ latest }) => <TypeBadge type={latest.type} /> },
  { title: 'Object', cell: ({ latest }) => <span className="object">{objectText(latest.object)}</span> },
  { title: 'Message', kind: 'wide', cell: ({ latest }) => <span className="message">{latest.message}</span> },
  { title: 'Count', kind: 'number', cell: ({ latest }) => latest.count },
  { title: 'Reporter', deskOnly: true, cell: ({ latest }) => latest.reporter },
  { title: 'Last seen', cell: ({ latest }) => <Time at={latest.lastSeen} /> },
];

const idOf = (event: JournalEvent): string => event.id;

/** The journal: search by filters, and follow what comes. */
export function EventsPage() {
  const { clients } = useSession();
  const permission = usePermission('events', 'events:read');
  const [query] = useQuery();
  const filter = filterOf(query);
  const live = query['live'] !== 'off';
  const each = query['rows'] === 'each';
  const list = useList(
    `events?${JSON.stringify(filter)}`,
    (cursor, signal) =>
      clients.events.listEvents({ query: { ...apiFilter(filter, Date.now()), cursor, limit: 100 }, signal }),
    idOf,
    { everyMs: live ? 1_500 : undefined, enabled: permission.allowed },
  );
  const rows = each ? list.rows?.map((latest) => ({ latest, entries: 1 })) : list.rows && groupEvents(list.rows);
  return (
    <Page
      title="Events"
      lead="What clusters, the platform itself and Alertmanager reported, newest first."
      actions={
        <Link to={addressOf('sinks')} className="button">
          Sinks and dead letters
        </Link>
      }
    >
      <Filters what="events">
        <TextFilter name="text" label="Message has" placeholder="refused" />
        <SelectFilter name="type" label="Type" options={['Warning', 'Normal']} />
        <SelectFilter
          name="since"
          label="Since"
          any="the beginning"
          options={Object.keys(SINCE).map((value) => ({ value, text: `${value} ago` }))}
        />
        <MoreFilters names={['reason', 'namespace', 'kind', 'name', 'source']}>
          <TextFilter name="reason" label="Reason" placeholder="BackOff" />
          <TextFilter name="namespace" label="Namespace" placeholder="shop" />
          <TextFilter name="kind" label="Kind" placeholder="Pod" />
          <TextFilter name="name" label="Name" />
          <SelectFilter name="source" label="Source" options={SOURCES} />
        </MoreFilters>
        <div className="switches">
          <SwitchFilter name="live" label="Live" on={undefined} off="off" />
          <SwitchFilter name="rows" label="Group what repeats" on={undefined} off="each" />
        </div>
      </Filters>
      <ListView
        list={{ ...list, rows }}
        permission={permission}
        noun={each ? { one: 'event', many: 'events' } : { one: 'thing that happened', many: 'things that happened' }}
        columns={COLUMNS}
        keyOf={({ latest }) => latest.id}
        toneOf={({ latest }) => (latest.type === 'Warning' ? 'warn' : undefined)}
        empty={{
          icon: 'events',
          title: 'No event matches',
          hint: 'Widen the filters, or wait: the list follows what comes.',
        }}
      />
      <Elsewhere
        api={[withQuery('GET /v1/events', apiFilter(filter, thisMinute()))]}
        cli={[commandLine(filter, 'search'), commandLine(filter, 'tail')]}
      />
    </Page>
  );
}
