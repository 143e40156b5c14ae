import type { Gap, Sink } from '@keelson/contracts';
import { useState } from 'react';
import { useList } from '../api/use-list.ts';
import { useRead } from '../api/use-read.ts';
import { Badge, type Tone } from '../parts/badge.tsx';
import { Elsewhere } from '../parts/elsewhere.tsx';
import { ListView } from '../parts/list-view.tsx';
import { MayButton } from '../parts/may.tsx';
import { Page, Section } from '../parts/page.tsx';
import { Empty, Show } from '../parts/reading.tsx';
import { span } from '../parts/relative.ts';
import { type Column, Table } from '../parts/table.tsx';
import { Instant } from '../parts/time.tsx';
import { Link } from '../routing/link.tsx';
import { addressOf } from '../routing/match.ts';
import { usePermission, useSession } from '../session/session.ts';
import { DeadLetters } from './dead-letters.tsx';
import { ReplayDialog } from './replay-dialog.tsx';

const STATES: Readonly<Record<Sink['state'], Tone>> = { delivering: 'good', retrying: 'warn', stopped: 'bad' };

const GAPS: readonly Column<Gap>[] = [
  { title: 'Cluster', kind: 'lead', cell: (gap) => gap.cluster },
  { title: 'Cause', cell: (gap) => gap.cause },
  { title: 'From', cell: (gap) => <Instant at={gap.from} /> },
  { title: 'To', cell: (gap) => <Instant at={gap.to} /> },
  { title: 'Detail', kind: 'wide', cell: (gap) => gap.detail },
];

/** Where events are delivered to, how far each sink is, what it rejected, and what was never seen. */
export function SinksPage() {
  const { clients } = useSession();
  const permission = usePermission('events', 'events:read');
  const sinks = useRead('sinks', async (signal) => (await clients.events.listSinks({ signal })).items, {
    everyMs: 2_000,
    enabled: permission.allowed,
  });
  const gaps = useList(
    'gaps',
    (cursor, signal) => clients.events.listGaps({ query: { cursor }, signal }),
    (gap) => gap.id,
    { everyMs: 10_000, enabled: permission.allowed },
  );
  return (
    <Page
      title="Sinks"
      lead="Where events are delivered to. Each sink has its own place in the journal."
      back={<Link to={addressOf('events')}>Events</Link>}
    >
      {permission.allowed ? (
        <Show reading={sinks} what="sinks" lines={3}>
          {(rows) =>
            rows.length === 0 ? (
              <Empty icon="events" title="No sink">
                The rules file of event-relay names sinks.
              </Empty>
            ) : (
              <SinkTable sinks={rows} />
            )
          }
        </Show>
      ) : (
        <Empty icon="info" title={permission.reason} />
      )}
      <DeadLetters sinks={sinks.data?.map(({ name }) => name) ?? []} />
      <Section title="Gaps" id="gaps">
        <p className="quiet">Times in which events may have been missed, as far as it was noticed.</p>
        <ListView
          list={gaps}
          permission={permission}
          noun={{ one: 'gap', many: 'gaps' }}
          columns={GAPS}
          keyOf={(gap) => gap.id}
          empty={{ icon: 'good', title: 'No gap was noticed' }}
        />
      </Section>
      <Elsewhere
        api={[
          'GET /v1/sinks',
          'POST /v1/sinks/{name}/replay',
          'GET /v1/dead-letters',
          'POST /v1/dead-letters/{id}/redrive',
          'GET /v1/gaps',
        ]}
        cli={[]}
      />
    </Page>
  );
}

function SinkTable({ sinks }: { readonly sinks: readonly Sink[] }) {
  const permission = usePermission('events', 'events:replay');
  const [replayed, setReplayed] = useState<string>();
  const columns: readonly Column<Sink>[] = [
    { title: 'Sink', kind: 'lead', cell: (sink) => <strong>{sink.name}</strong> },
    { title: 'Kind', cell: (sink) => sink.kind },
    { title: 'State', cell: (sink) => <Badge tone={STATES[sink.state]}>{sink.state}</Badge> },
    {
      title: 'Behind',
      kind: 'number',
      cell: (sink) => (sink.lagEvents === 0 ? 'nothing' : `${sink.lagEvents} (${span(sink.lagSeconds * 1000)})`),
    },
    { title: 'Delivered', kind: 'number', cell: (sink) => sink.delivered },
    {
      title: 'Dead letters',
      kind: 'number',
      cell: (sink) =>
        sink.deadLetters === 0 ? (
          0
        ) : (
          <Link to={addressOf('sinks', undefined, { sink: sink.name })}>{sink.deadLetters}</Link>
        ),
    },
    { title: 'Last error', kind: 'wide', cell: (sink) => sink.lastError ?? <span className="quiet">none</span> },
    {
      title: 'Again',
      cell: (sink) => (
        <MayButton permission={permission} onClick={() => setReplayed(sink.name)}>
          Replay…
        </MayButton>
      ),
    },
  ];
  return (
    <>
      <Table caption="sinks" columns={columns} rows={sinks} keyOf={(sink) => sink.name} />
      {permission.allowed ? null : <p className="quiet small">{permission.reason}</p>}
      {replayed === undefined ? null : <ReplayDialog sink={replayed} onClose={() => setReplayed(undefined)} />}
    </>
  );
}
