import type { QueueState } from '@keelson/contracts';
import { Badge } from '../parts/badge.tsx';
import { type Column, Table } from '../parts/table.tsx';
import { Link } from '../routing/link.tsx';
import { addressOf } from '../routing/match.ts';

const rate = (perSecond: number | undefined): string => (perSecond === undefined ? '' : perSecond.toFixed(1));

const COLUMNS: readonly Column<QueueState>[] = [
  {
    title: 'Queue',
    kind: 'lead',
    cell: ({ queue }) => (
      <Link to={addressOf('queue', { queue })} className="row-link">
        {queue}
      </Link>
    ),
  },
  { title: 'State', cell: (row) => <QueueBadge state={row} /> },
  { title: 'Waiting', kind: 'number', cell: ({ ready }) => ready },
  { title: 'With consumers', kind: 'number', cell: ({ unacknowledged }) => unacknowledged ?? '' },
  { title: 'Consumers', kind: 'number', cell: ({ consumers }) => consumers },
  { title: 'In /s', kind: 'number', cell: ({ rates }) => rate(rates?.in) },
  { title: 'Out /s', kind: 'number', cell: ({ rates }) => rate(rates?.out) },
  { title: 'Parked', kind: 'number', cell: ({ kind, parked }) => (kind === 'requests' ? '' : parked) },
];

/** Queues with depth, rates, consumers and what was given up. */
export function QueueTable({ queues }: { readonly queues: readonly QueueState[] }) {
  return (
    <Table
      caption="queues"
      columns={COLUMNS}
      rows={queues}
      keyOf={({ queue }) => queue}
      toneOf={(row) => (toneOf(row) === 'good' ? undefined : toneOf(row))}
    />
  );
}

function toneOf({ fault, consumers, parked, lotOnly }: QueueState): 'good' | 'warn' | 'bad' {
  if (fault !== undefined || (consumers === 0 && lotOnly !== true)) return 'bad';
  return parked > 0 ? 'warn' : 'good';
}

/** How a queue stands, in words. */
export function QueueBadge({ state }: { readonly state: QueueState }) {
  const words =
    state.fault !== undefined
      ? 'cannot be read'
      : state.consumers === 0 && state.lotOnly !== true
        ? 'nobody reads it'
        : state.parked > 0
          ? 'has parked messages'
          : 'read';
  return <Badge tone={toneOf(state)}>{words}</Badge>;
}
