import { type Certificate, certificateState, type Delivery } from '@keelson/contracts';
import { useList } from '../api/use-list.ts';
import { Elsewhere } from '../parts/elsewhere.tsx';
import { Filters, SelectFilter, TextFilter } from '../parts/filters.tsx';
import { ListView } from '../parts/list-view.tsx';
import { Page, Section } from '../parts/page.tsx';
import { span, thisMinute } from '../parts/relative.ts';
import type { Column } from '../parts/table.tsx';
import { Time } from '../parts/time.tsx';
import { useNow } from '../parts/use-now.ts';
import { Link } from '../routing/link.tsx';
import { useQuery } from '../routing/location.ts';
import { addressOf, type Query, withQuery } from '../routing/match.ts';
import { usePermission, useSession } from '../session/session.ts';
import { byEnd } from './by-end.ts';
import { namesOf } from './expiry.ts';
import { LifeBar } from './life-bar.tsx';
import { DeliveryBadge, StateBadge } from './states.tsx';

const DAY_SECONDS = 86_400;
/** What "ends within" offers, in seconds. */
const WITHIN = { '24h': DAY_SECONDS, '7d': 7 * DAY_SECONDS, '30d': 30 * DAY_SECONDS, '90d': 90 * DAY_SECONDS } as const;

const isWithin = (text: string | undefined): text is keyof typeof WITHIN => text !== undefined && text in WITHIN;

const COLUMNS: readonly Column<Certificate>[] = [
  {
    title: 'Names',
    kind: 'lead',
    cell: (row) => (
      <Link to={addressOf('certificate', { id: row.id })} className="row-link">
        {namesOf(row).join(', ')}
      </Link>
    ),
  },
  { title: 'State', cell: (row) => <State certificate={row} /> },
  { title: 'Ends', cell: (row) => <Time at={row.notAfter} /> },
  { title: 'Life', kind: 'wide', cell: (row) => <LifeBar certificate={row} /> },
  { title: 'Key', deskOnly: true, cell: (row) => row.keyType },
  { title: 'Profile', deskOnly: true, cell: (row) => row.profile },
  { title: 'Team', deskOnly: true, cell: (row) => (row.team === '*' ? 'every team' : row.team) },
];

function State({ certificate }: { readonly certificate: Certificate }) {
  return <StateBadge certificate={certificate} now={useNow()} />;
}

const DELIVERIES: readonly Column<Delivery>[] = [
  {
    title: 'Secret',
    kind: 'lead',
    cell: ({ secret, certificateId }) =>
      certificateId === undefined ? (
        `${secret.namespace}/${secret.name}`
      ) : (
        <Link to={addressOf('certificate', { id: certificateId })} className="row-link">
          {secret.namespace}/{secret.name}
        </Link>
      ),
  },
  {
    title: 'State',
    kind: 'wide',
    cell: ({ state, reason }) => (
      <>
        <DeliveryBadge state={state} /> {reason}
      </>
    ),
  },
  { title: 'For', cell: ({ dnsNames, ipAddresses }) => [...dnsNames, ...ipAddresses].join(', ') },
  { title: 'Lives', cell: ({ lifetimeSeconds }) => span(lifetimeSeconds * 1000) },
  {
    title: 'Next renewal',
    cell: ({ nextRenewalAt }) => (nextRenewalAt === undefined ? '–' : <Time at={nextRenewalAt} />),
  },
];

const idOf = (row: { readonly id: string }): string => row.id;

/** Every certificate, those that end first first, and the Secrets that are kept supplied. */
export function CertificatesPage() {
  const { clients } = useSession();
  const permission = usePermission('certificates', 'certificates:read');
  const [query] = useQuery();
  const filter = filterOf(query);
  const list = useList(
    `certificates?${JSON.stringify(filter)}`,
    (cursor, signal) =>
      clients.certificates.listCertificates({
        query: { ...apiFilter(filter, Date.now()), cursor, limit: 200 },
        signal,
      }),
    idOf,
    { everyMs: 5_000, enabled: permission.allowed },
  );
  const deliveries = useList(
    'deliveries',
    (cursor, signal) => clients.certificates.listDeliveries({ query: { cursor }, signal }),
    idOf,
    { everyMs: 5_000, enabled: permission.allowed },
  );
  const newestFirst = query['order'] === 'newest';
  return (
    <Page title="Certificates" lead="Issued by the platform’s own authority; those that end first stand first.">
      <Filters what="certificates">
        <TextFilter name="name" label="Name has" placeholder="shop.example" />
        <SelectFilter name="state" label="State" options={certificateState.options} />
        <SelectFilter
          name="within"
          label="Ends within"
          any="any time"
          options={Object.keys(WITHIN).map((value) => ({ value, text: value }))}
        />
        <TextFilter name="serial" label="Serial number" />
        <SelectFilter
          name="order"
          label="Order"
          any="ends first"
          options={[{ value: 'newest', text: 'newest first' }]}
        />
      </Filters>
      <ListView
        list={list}
        permission={permission}
        noun={{ one: 'certificate', many: 'certificates' }}
        columns={COLUMNS}
        keyOf={idOf}
        {...(newestFirst ? {} : { arrange: validFirst })}
        empty={{
          icon: 'certificate',
          title: 'No certificate matches',
          hint: (
            <>
              <code>keelson cert issue --csr request.pem</code> has one signed.
            </>
          ),
        }}
      />
      <Section title="Deliveries" id="deliveries">
        <p className="quiet">Kubernetes Secrets in which the service keeps a certificate and renews it.</p>
        <ListView
          list={deliveries}
          permission={permission}
          noun={{ one: 'delivery', many: 'deliveries' }}
          columns={DELIVERIES}
          keyOf={idOf}
          empty={{ icon: 'certificate', title: 'No delivery' }}
        />
      </Section>
      <Elsewhere
        api={[withQuery('GET /v1/certificates', apiFilter(filter, thisMinute())), 'GET /v1/deliveries']}
        cli={[commandLine(filter)]}
      />
    </Page>
  );
}

/** What is over is history: it stands behind what still lives. */
const validFirst = (rows: readonly Certificate[]): Certificate[] => [
  ...byEnd(rows.filter(({ state }) => state === 'valid')),
  ...byEnd(rows.filter(({ state }) => state !== 'valid')).toReversed(),
];

interface Filter {
  readonly name: string | undefined;
  readonly state: Certificate['state'] | undefined;
  readonly within: keyof typeof WITHIN | undefined;
  readonly serial: string | undefined;
}

const filterOf = (query: Query): Filter => ({
  name: query['name'],
  state: certificateState.safeParse(query['state']).data,
  within: isWithin(query['within']) ? query['within'] : undefined,
  // As certificates print it: upper case, with colons.
  serial: query['serial']?.replaceAll(':', '').toLowerCase(),
});

const apiFilter = ({ name, state, within, serial }: Filter, now: number) => ({
  name,
  state,
  serial,
  expiresBefore: within === undefined ? undefined : new Date(now + WITHIN[within] * 1000).toISOString(),
});

function commandLine({ name, state, within }: Filter): string {
  const options = [
    name === undefined ? '' : ` --name ${name}`,
    state === undefined ? '' : ` --state ${state}`,
    within === undefined ? '' : ` --expires-within ${within}`,
  ];
  return `keelson cert list${options.join('')}`;
}
