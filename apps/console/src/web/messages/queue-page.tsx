import type { ParkedMessageView } from '@keelson/contracts';
import { useEffect, useState } from 'react';
import { type MessageKey, SERVICES } from '../../services.ts';
import { useList } from '../api/use-list.ts';
import { Elsewhere } from '../parts/elsewhere.tsx';
import { Facts } from '../parts/facts.tsx';
import { Filters, MoreFilters, TextFilter } from '../parts/filters.tsx';
import { ListView } from '../parts/list-view.tsx';
import { MayButton } from '../parts/may.tsx';
import { Page, Section } from '../parts/page.tsx';
import { Empty, Show } from '../parts/reading.tsx';
import type { Column } from '../parts/table.tsx';
import { Time } from '../parts/time.tsx';
import { Link } from '../routing/link.tsx';
import { useQuery } from '../routing/location.ts';
import { addressOf, withQuery } from '../routing/match.ts';
import { useSession } from '../session/session.ts';
import { ActDialog } from './act-dialog.tsx';
import { commandLine, filterOf, type ParkedFilter } from './filter.ts';
import { MessageSection } from './message-section.tsx';
import { useQueues } from './messages-page.tsx';
import { QueueBadge } from './queue-table.tsx';
import { keyOf, useMessagesPermission } from './which.ts';

/** One queue, and its parking lot: look at, correct, send again, delete. */
export function QueuePage({ queue }: { readonly queue: string }) {
  const of = keyOf(queue);
  if (of === undefined) {
    return (
      <Page title={queue} back={<Link to={addressOf('messages')}>Messages</Link>}>
        <Empty icon="info" title="It is the queue of no service">
          The name of a queue begins with that of its service.
        </Empty>
      </Page>
    );
  }
  return <KnownQueue of={of} queue={queue} />;
}

function KnownQueue({ of, queue }: { readonly of: MessageKey; readonly queue: string }) {
  const { permission, reading } = useQueues(of);
  const state = reading.data?.items.find((one) => one.queue === queue);
  const [query] = useQuery();
  const filter = filterOf(query);
  return (
    <Page
      title={queue}
      back={<Link to={addressOf('messages')}>Messages</Link>}
      lead={state === undefined ? undefined : <QueueBadge state={state} />}
    >
      {permission.allowed ? (
        <Show reading={reading} what="the queue" lines={2}>
          {() =>
            state === undefined ? (
              <Empty icon="info" title={`${SERVICES[of].service} has no such queue`} />
            ) : (
              <Facts
                facts={{
                  Waiting: state.ready,
                  'With consumers': state.unacknowledged,
                  Consumers: state.consumers,
                  'In a second': state.rates?.in.toFixed(1),
                  'Out a second': state.rates?.out.toFixed(1),
                  Parked: state.kind === 'requests' ? undefined : state.parked,
                  Fault: state.fault,
                }}
              />
            )
          }
        </Show>
      ) : null}
      {query['message'] === undefined ? null : (
        <MessageSection key={query['message']} of={of} queue={queue} id={query['message']} />
      )}
      {state?.kind === 'requests' ? (
        <Requests />
      ) : permission.allowed && reading.data === undefined && reading.error === undefined ? null : (
        <ParkingLot of={of} queue={queue} filter={filter} count={state?.parked} />
      )}
    </Page>
  );
}

/** What stands where other queues have their parking lot. */
function Requests() {
  return (
    <>
      <Section title="Parked messages" id="parked">
        <Empty icon="info" title="A queue of requests has no parking lot">
          Who asked is told of a failure at once, and decides.
        </Empty>
      </Section>
      <Elsewhere api={['GET /v1/messages/queues']} cli={['keelson messages queues']} />
    </>
  );
}

function ParkingLot(props: ParkedProps) {
  const { queue, filter } = props;
  return (
    <>
      <Parked {...props} />
      <Elsewhere
        api={[
          withQuery('GET /v1/messages/parked', { queue, ...filter }),
          'POST /v1/messages/parked/redrive',
          'POST /v1/messages/parked/discard',
          'POST /v1/messages/parked/QUEUE/ID/edit',
        ]}
        cli={[
          commandLine('parked', queue, filter),
          commandLine('redrive', queue, filter),
          commandLine('export', queue, filter),
          `keelson messages edit ${queue} ID --file corrected.json`,
          `${commandLine('purge', queue, filter)} --yes`,
        ]}
      />
    </>
  );
}

const idOf = (message: ParkedMessageView): string => message.id;

interface ParkedProps {
  readonly of: MessageKey;
  readonly queue: string;
  readonly filter: ParkedFilter;
  /** As the queue says it. */
  readonly count: number | undefined;
}

function Parked({ of, queue, filter, count }: ParkedProps) {
  const { messages } = useSession();
  const permission = useMessagesPermission(of, 'messages:read');
  const redrive = useMessagesPermission(of, 'messages:redrive');
  const write = useMessagesPermission(of, 'messages:write');
  const [query, change] = useQuery();
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [asked, setAsked] = useState<'redrive' | 'discard'>();
  const list = useList(
    `parked/${queue}?${JSON.stringify(filter)}`,
    (cursor, signal) => messages[of].listParked({ query: { queue, ...filter, cursor }, signal }),
    idOf,
    { everyMs: 30_000, enabled: permission.allowed },
  );
  const { refresh } = list;
  // Reading a parking lot takes its messages out for a moment: it is done when their number changed, not all the time.
  useEffect(() => {
    if (count !== undefined) refresh();
  }, [count, refresh]);
  const rows = list.rows ?? [];
  const shown = rows.filter(({ id }) => chosen.has(id)).map(idOf);
  const toggle = (id: string): void => {
    const next = new Set(chosen);
    if (!next.delete(id)) next.add(id);
    setChosen(next);
  };
  const columns: readonly Column<ParkedMessageView>[] = [
    {
      title: 'Pick',
      cell: ({ id }) => (
        <input type="checkbox" aria-label={`Pick ${id}`} checked={chosen.has(id)} onChange={() => toggle(id)} />
      ),
    },
    {
      title: 'Error',
      kind: 'lead',
      cell: ({ id, code }) => (
        <Link to={addressOf('queue', { queue }, { ...query, message: id })} className="row-link">
          {code}
        </Link>
      ),
    },
    { title: 'Message', cell: ({ type }) => <code>{type.replace('dev.keelson.', '')}</code> },
    { title: 'Why', kind: 'wide', cell: ({ reason }) => <span className="message">{reason}</span> },
    { title: 'Attempts', kind: 'number', cell: ({ attempts }) => attempts },
    { title: 'Sent again', kind: 'number', deskOnly: true, cell: ({ redriveCount }) => redriveCount },
    {
      title: 'Last failed',
      cell: ({ lastFailedAt }) => (lastFailedAt === undefined ? '' : <Time at={lastFailedAt} />),
    },
  ];
  const close = (): void => {
    setAsked(undefined);
    setChosen(new Set());
    refresh();
    if (query['message'] !== undefined) change({ message: undefined });
  };
  return (
    <Section title="Parked messages" id="parked">
      <Filters what="parked messages">
        <TextFilter name="code" label="Error" placeholder="attempts-exhausted" />
        <TextFilter name="text" label="Body or reason has" placeholder="orderId" />
        <MoreFilters names={['type', 'key']}>
          <TextFilter name="type" label="Message type" placeholder="order.paid.v1" />
          <TextFilter name="key" label="Partition key" placeholder="order/7" />
        </MoreFilters>
      </Filters>
      {rows.length === 0 ? null : (
        <div className="parked-acts">
          <span className="quiet" role="status">
            {shown.length === 0 ? 'All that match' : `${shown.length} picked`}
          </span>
          {shown.length === rows.length ? null : (
            <button type="button" className="button" onClick={() => setChosen(new Set(rows.map(idOf)))}>
              Pick all shown
            </button>
          )}
          <MayButton permission={redrive} onClick={() => setAsked('redrive')}>
            {shown.length === 0 ? 'Send all that match again…' : `Send ${shown.length} again…`}
          </MayButton>
          <MayButton permission={write} tone="bad" onClick={() => setAsked('discard')}>
            {shown.length === 0 ? 'Delete all that match…' : `Delete ${shown.length}…`}
          </MayButton>
        </div>
      )}
      <ListView
        list={list}
        permission={permission}
        noun={{ one: 'parked message', many: 'parked messages' }}
        columns={columns}
        keyOf={idOf}
        toneOf={({ id }) => (chosen.has(id) ? 'info' : undefined)}
        empty={{ icon: 'good', title: 'Nothing is parked', hint: 'Every message was handled, or is still on its way.' }}
      />
      {asked === undefined ? null : (
        <ActDialog
          act={asked}
          of={of}
          queue={queue}
          filter={filter}
          ids={shown.length === 0 ? undefined : shown}
          onClose={close}
        />
      )}
    </Section>
  );
}
