import { type Order, orderStatus, type Stock, type Verdict } from '@keelson/contracts';
import { useList } from '../api/use-list.ts';
import { useRead } from '../api/use-read.ts';
import { Elsewhere } from '../parts/elsewhere.tsx';
import { Filters, SelectFilter, TextFilter } from '../parts/filters.tsx';
import { ListView } from '../parts/list-view.tsx';
import { Page, Section } from '../parts/page.tsx';
import { Show } from '../parts/reading.tsx';
import type { Column } from '../parts/table.tsx';
import { Time } from '../parts/time.tsx';
import { Link } from '../routing/link.tsx';
import { useQuery } from '../routing/location.ts';
import { addressOf, withQuery } from '../routing/match.ts';
import { usePermission, useSession } from '../session/session.ts';
import { Flow } from './flow.tsx';
import { LoadControl } from './load-control.tsx';
import { Account } from './account.tsx';
import { amount } from './money.ts';
import { StatusBadge } from './status.tsx';

const COLUMNS: readonly Column<Order>[] = [
  {
    title: 'Document',
    kind: 'lead',
    cell: (order) => (
      <Link to={addressOf('order', { id: order.id })} className="row-link">
        {order.documentNumber}
      </Link>
    ),
  },
  { title: 'Status', cell: (order) => <StatusBadge status={order.status} /> },
  { title: 'Customer', cell: (order) => order.customer },
  {
    title: 'Articles',
    kind: 'wide',
    cell: (order) => order.lines.map(({ sku, quantity }) => `${quantity} × ${sku}`).join(', '),
  },
  { title: 'Total', kind: 'number', cell: (order) => amount(order.totalCents) },
  { title: 'Version', deskOnly: true, cell: (order) => order.acceptedBy },
  { title: 'Accepted', cell: (order) => <Time at={order.acceptedAt} /> },
];

const STOCK: readonly Column<Stock>[] = [
  { title: 'Article', kind: 'lead', cell: (row) => row.sku },
  { title: 'Available', kind: 'number', cell: (row) => row.available },
  { title: 'Reserved', kind: 'number', cell: (row) => row.reserved },
  { title: 'Sold', kind: 'number', cell: (row) => row.sold },
  { title: 'Price', kind: 'number', cell: (row) => amount(row.priceCents) },
];

const idOf = (order: Order): string => order.id;

/** The verifier's account, and every order. */
export function OrdersPage() {
  const { clients } = useSession();
  const permission = usePermission('orders', 'orders:read');
  const [query] = useQuery();
  const filter = { status: orderStatus.safeParse(query['status']).data, customer: query['customer'] };
  const verdict = useRead('orders/verdict', (signal) => clients.orders.verifyOrders({ signal }), {
    everyMs: 10_000,
    enabled: permission.allowed,
  });
  const list = useList(
    `orders?${JSON.stringify(filter)}`,
    (cursor, signal) => clients.orders.listOrders({ query: { ...filter, cursor }, signal }),
    idOf,
    { everyMs: 2_000, enabled: permission.allowed },
  );
  return (
    <Page title="Orders" lead="The reference workload: every order is accepted once and carried out once.">
      {permission.allowed ? (
        <Section
          title="The verifier’s account"
          aside={
            <button type="button" className="button" onClick={verdict.refresh}>
              Verify now
            </button>
          }
        >
          <Show reading={verdict} what="the account" lines={3}>
            {(read) => (
              <>
                <Account verdict={read} />
                <VerdictFindings verdict={read} />
              </>
            )}
          </Show>
        </Section>
      ) : null}
      <Flow />
      <LoadControl />
      <Section title="All orders">
        <Filters what="orders">
          <SelectFilter name="status" label="Status" options={orderStatus.options} />
          <TextFilter name="customer" label="Customer" placeholder="customer-7" />
        </Filters>
        <ListView
          list={list}
          permission={permission}
          noun={{ one: 'order', many: 'orders' }}
          columns={COLUMNS}
          keyOf={idOf}
          empty={{
            icon: 'orders',
            title: 'No order matches',
            hint: (
              <>
                <code>keelson orders load --rate 20 --for 60s</code> places some.
              </>
            ),
          }}
        />
      </Section>
      <StockSection />
      <Elsewhere
        api={[withQuery('GET /v1/orders', filter), 'GET /v1/verification', 'GET /v1/stock', 'GET /v1/messages/queues']}
        cli={[
          filter.status === undefined ? 'keelson orders list' : `keelson orders list --status ${filter.status}`,
          'keelson orders verify',
          'keelson messages queues',
        ]}
      />
    </Page>
  );
}

/** Why the books are wrong, row by row. */
function VerdictFindings({ verdict }: { readonly verdict: Verdict }) {
  const { findings = [] } = verdict;
  if (findings.length === 0) return null;
  return (
    <ul className="finding-list">
      {findings.map(({ kind, id, reason }) => (
        <li key={`${kind} ${id}`} data-tone="bad">
          <div>
            <p className="finding-title">
              {kind}: {kind === 'negative' ? id : <Link to={addressOf('order', { id })}>{id}</Link>}
            </p>
            <p className="finding-detail">{reason}</p>
          </div>
        </li>
      ))}
    </ul>
  );
}

function StockSection() {
  const { clients } = useSession();
  const permission = usePermission('orders', 'orders:read');
  const stock = useList(
    'stock',
    (cursor, signal) => clients.orders.listStock({ query: { cursor }, signal }),
    (row) => row.sku,
    { everyMs: 5_000, enabled: permission.allowed },
  );
  return (
    <Section title="Stock" id="stock">
      <ListView
        list={stock}
        permission={permission}
        noun={{ one: 'article', many: 'articles' }}
        columns={STOCK}
        keyOf={(row) => row.sku}
        empty={{ icon: 'orders', title: 'No article' }}
      />
    </Section>
  );
}
