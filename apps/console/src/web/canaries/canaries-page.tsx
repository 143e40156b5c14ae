import { canaryPhase, type Canary } from '@keelson/contracts';
import { useList } from '../api/use-list.ts';
import { Filters, SelectFilter, TextFilter } from '../parts/filters.tsx';
import { Elsewhere } from '../parts/elsewhere.tsx';
import { ListView } from '../parts/list-view.tsx';
import { Page } from '../parts/page.tsx';
import type { Column } from '../parts/table.tsx';
import { Time } from '../parts/time.tsx';
import { Link } from '../routing/link.tsx';
import { useQuery } from '../routing/location.ts';
import { addressOf, withQuery } from '../routing/match.ts';
import { usePermission, useSession } from '../session/session.ts';
import { PhaseBadge } from './phase.tsx';
import { Traffic } from './traffic.tsx';

const COLUMNS: readonly Column<Canary>[] = [
  {
    title: 'Canary',
    kind: 'lead',
    cell: (row) => (
      <Link to={addressOf('canary', row)} className="row-link">
        {row.namespace}/{row.name}
      </Link>
    ),
  },
  { title: 'Phase', cell: (row) => <PhaseBadge phase={row.phase} /> },
  { title: 'Traffic', kind: 'wide', cell: (row) => (row.phase === 'Refused' ? '–' : <Traffic canary={row} />) },
  {
    title: 'Step',
    kind: 'number',
    deskOnly: true,
    cell: (row) => (row.step < 0 ? '–' : `${row.step + 1} of ${row.spec.steps.length}`),
  },
  { title: 'Why', kind: 'wide', cell: (row) => row.reason },
  { title: 'Since', cell: (row) => <Time at={row.since} /> },
  { title: 'Team', deskOnly: true, cell: (row) => row.team },
];

const idOf = (canary: Canary): string => canary.id;

/** Every canary with where its release stands. */
export function CanariesPage() {
  const { clients } = useSession();
  const permission = usePermission('canaries', 'canaries:read');
  const [query] = useQuery();
  const namespace = query['namespace'];
  const phase = canaryPhase.safeParse(query['phase']).data;
  const filter = { namespace, phase };
  const list = useList(
    `canaries?${JSON.stringify(filter)}`,
    (cursor, signal) => clients.canaries.listCanaries({ query: { ...filter, cursor }, signal }),
    idOf,
    { everyMs: 2_000, enabled: permission.allowed },
  );
  return (
    <Page title="Canaries" lead="New versions that get traffic step by step, judged at each step.">
      <Filters what="canaries">
        <TextFilter name="namespace" label="Namespace" placeholder="shop" />
        <SelectFilter name="phase" label="Phase" options={canaryPhase.options} />
      </Filters>
      <ListView
        list={list}
        permission={permission}
        noun={{ one: 'canary', many: 'canaries' }}
        columns={COLUMNS}
        keyOf={idOf}
        empty={{
          icon: 'canary',
          title: 'No canary matches',
          hint: (
            <>
              <code>keelson canary apply -f canary.yaml</code> makes one.
            </>
          ),
        }}
      />
      <Elsewhere
        api={[withQuery('GET /v1/canaries', filter)]}
        cli={[
          ['keelson canary list', namespace && `-n ${namespace}`, phase && `--phase ${phase}`]
            .filter(Boolean)
            .join(' '),
        ]}
      />
    </Page>
  );
}
